import { execFile } from "node:child_process";
import { getPriority } from "node:os";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);

/** In a process of its own: its threads would keep their priorities. */
const priorities = async (program: string): Promise<number[]> => {
  const code = `
    import { readdirSync } from "node:fs";
    import { getPriority } from "node:os";
    import { preferEventLoop, stayInBackground } from ${JSON.stringify(new URL("./threads.ts", import.meta.url).href)};
    ${program}
    const threads = readdirSync("/proc/self/task").map(Number);
    console.log(JSON.stringify([getPriority(process.pid), ...threads.map((thread) => getPriority(thread))]));`;
  const { stdout } = await run(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
    env: { ...process.env, UV_THREADPOOL_SIZE: "3" },
  });
  return JSON.parse(stdout) as number[];
};

test.runIf(process.platform === "linux")("the event loop goes before every thread of libuv's pool", async () => {
  const [loop, ...threads] = await priorities("await preferEventLoop();");
  expect(loop).toBe(getPriority());
  expect(threads.filter((priority) => priority === 19)).toHaveLength(3);
});

test.runIf(process.platform === "linux")("a thread that stays in the background is the one that asked", async () => {
  const [asking, ...threads] = await priorities("stayInBackground();");
  expect(asking).toBe(19);
  expect(threads.filter((priority) => priority === 19)).toHaveLength(1);
});
