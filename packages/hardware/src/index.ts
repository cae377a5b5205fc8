export * from "./battery.ts";
export * from "./clock.ts";
export * from "./compute.ts";
export * from "./uplink.ts";
