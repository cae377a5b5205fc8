#!/usr/bin/env node
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

// In a clone the CLI is built from its sources whenever they are newer.
const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const { build } = await import(join(root, "scripts/build.mjs"));
await build((line) => console.error(line));
await import(join(root, "dist/cli.mjs"));
