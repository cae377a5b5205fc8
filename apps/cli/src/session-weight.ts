import { readFileSync, writeFileSync } from "node:fs";

const file = "/proc/self/autogroup";
/** Weighs as much as nine sessions: about what the daemons weighed if each led one. */
const preferred = "-10";

/**
 * Linux shares the processors between sessions (sched(7), autogroups), and all daemons of a rehearsal are in that of their
 * terminal: a browser that shows the dashboard would get as much as the whole lab. Where it may, the lab takes more.
 *
 * @returns gives the session back the weight that it had, as the end of the process does
 */
export const preferSession = (): (() => void) => {
  const before = weight();
  // Another lab's session: that one gives it back.
  if (before === undefined || before === preferred) return () => undefined;
  const giveBack = (): void => {
    process.off("exit", giveBack);
    write(before);
  };
  process.on("exit", giveBack);
  write(preferred);
  return giveBack;
};

const weight = (): string | undefined => {
  try {
    return /nice (-?\d+)/.exec(readFileSync(file, "utf8"))?.[1];
  } catch {
    // No autogroups here.
    return undefined;
  }
};

const write = (nice: string): void => {
  try {
    writeFileSync(file, nice);
  } catch {
    // No right to a larger weight; or it was changed a moment ago.
  }
};
