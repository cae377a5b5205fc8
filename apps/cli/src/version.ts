import { readFileSync } from "node:fs";
import { join } from "node:path";
import { distFolder } from "./paths.ts";

/** Of this software. */
export const { version } = JSON.parse(readFileSync(join(distFolder, "../package.json"), "utf8")) as { version: string };
