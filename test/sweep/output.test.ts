import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";

const cli = join(import.meta.dirname, "../../apps/cli/bin/offload.mjs");

test("a reader who has read enough, as `head` has, is no error", async () => {
  const child = spawn(process.execPath, [cli, "simulate", "--help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, "exit") as Promise<[number]>]);
  expect(stderr).not.toContain("Error");
  expect(code).toBe(0);
});
