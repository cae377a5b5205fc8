import { execFile } from "node:child_process";
import { getPriority, setPriority } from "node:os";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
/** In a session of its own, whatever labs this one has: the weights that a program says. */
const weights = async (program: string): Promise<string[]> => {
  const code = `
    import { readFileSync } from "node:fs";
    import { preferSession } from ${JSON.stringify(new URL("./session-weight.ts", import.meta.url).href)};
    const say = () => console.log(/nice (.*)/.exec(readFileSync("/proc/self/autogroup", "utf8"))[1]);
    ${program}`;
  const words = ["--wait", process.execPath, "--import", "tsx", "--input-type=module", "-e", code];
  return (await run("setsid", words)).stdout.trim().split("\n");
};
/** The same right as a thread's. */
const mayPrefer = (): boolean => {
  const before = getPriority();
  try {
    setPriority(before - 1);
    setPriority(before);
    return true;
  } catch {
    return false;
  }
};
const hasAutogroups = await weights("say();").then(
  () => true,
  () => false,
);
const preferred = mayPrefer() ? "-10" : "0";

test.runIf(hasAutogroups)("a lab's session weighs more until it is given back, where that is allowed", async () => {
  const program = "say(); const giveBack = preferSession(); say(); giveBack(); say();";
  expect(await weights(program)).toEqual(["0", preferred, "0"]);
});

test.runIf(hasAutogroups).each([
  ["first", "first(); say(); second(); say();", ["0", "0"]],
  ["last", "second(); say(); first(); say();", [preferred, "0"]],
])(
  "of two labs in one session the one that began first gives the weight back, also when it ends %s",
  async (_, ends, said) => {
    const begin = "const first = preferSession(); const second = preferSession(); say();";
    expect(await weights(begin + ends)).toEqual([preferred, ...said]);
  },
);

test.runIf(hasAutogroups)("a process that just exits gives it back, too", async () => {
  const program = `preferSession(); say(); process.on("exit", say); process.exit();`;
  expect(await weights(program)).toEqual([preferred, "0"]);
});
