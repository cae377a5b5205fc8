export * from "./battery.ts";
export * from "./clock.ts";
export * from "./compute.ts";
export * from "./threads.ts";
export * from "./uplink.ts";
