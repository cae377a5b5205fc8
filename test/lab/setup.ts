import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { imageSet } from "@offloadlab/classifier";
import { leftOut } from "./debian-packages.ts";
import { sharedHome } from "./rehearsal-process.ts";

/** Generates the images that all tests of the lab share; at the end says what was left out. */
export default async (): Promise<() => void> => {
  mkdirSync(sharedHome, { recursive: true });
  await imageSet(join(sharedHome, "images"), { seed: 1, count: 36 });
  return () => {
    for (const line of leftOut()) console.log(`\n${line}`);
  };
};
