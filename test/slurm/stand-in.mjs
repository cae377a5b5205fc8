// Stands in for `offload`: node stand-in.mjs trial <sweep> <numbers>. What each attempt at a trial does is in
// <sweep>/plan.json ("fail", "crash", "wait" for <sweep>/go); an attempt without a plan succeeds.
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const [, , command, sweep, numbers] = process.argv;
if (command !== "trial" || sweep === undefined || numbers === undefined)
  throw new RangeError("expected: trial <sweep> <numbers>");
const plan = JSON.parse(readFileSync(join(sweep, "plan.json"), "utf8"));
const attempts = join(sweep, "attempts");
const trials = numbers.split(",").flatMap((range) => {
  const [first, last = first] = range.split("-").map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
});

mkdirSync(join(sweep, "trials"), { recursive: true });
for (const trial of trials) {
  const result = join(sweep, "trials", `${trial}.json`);
  if (existsSync(result)) continue;
  appendFileSync(attempts, `${trial}\n`);
  const attempt = readFileSync(attempts, "utf8")
    .split("\n")
    .filter((line) => line === `${trial}`).length;
  const action = plan[trial]?.[attempt - 1];
  if (action === "crash") process.kill(process.pid, "SIGKILL");
  if (action === "fail") {
    console.error(`trial ${trial} has no luck`);
    process.exitCode = 1;
    continue;
  }
  for (let polls = 0; action === "wait" && polls < 600 && !existsSync(join(sweep, "go")); polls += 1) await sleep(100);
  writeFileSync(`${result}.${process.pid}`, JSON.stringify({ trial, attempt }));
  renameSync(`${result}.${process.pid}`, result);
}
