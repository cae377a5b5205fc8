import { readdirSync, readFileSync } from "node:fs";

/** Learners' processes that this one has started and that still run. */
export const learnerProcesses = (): number[] =>
  readdirSync("/proc/self/task")
    .flatMap((thread) => readFileSync(`/proc/self/task/${thread}/children`, "utf8").trim().split(" "))
    .map(Number)
    .filter((pid) => pid > 0 && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("learner-program-from-source"));

/** Kills the one that runs, or stops it. @param signal SIGABRT is what ONNX Runtime ends it with @throws RangeError unless exactly one runs */
export const killLearner = (signal: "SIGKILL" | "SIGABRT" | "SIGSTOP" = "SIGKILL"): void => {
  const [pid, ...others] = learnerProcesses();
  if (pid === undefined || others.length > 0)
    throw new RangeError(`Expected one learner's process, got ${learnerProcesses().length}`);
  process.kill(pid, signal);
};
