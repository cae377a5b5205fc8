import { readFileSync, writeFileSync } from "node:fs";

const file = "/proc/self/autogroup";
/** Weighs as much as nine sessions: about what the daemons weighed if each led one. */
const preferred = "-10";

/**
 * Linux shares the processors between sessions (sched(7), autogroups), and all daemons of a rehearsal are in that of their
 * terminal: a browser that shows the dashboard would get as much as the whole lab. Where it may, the lab takes more.
 *
 * @returns gives the session back the weight that it had
 */
export const preferSession = (): (() => void) => {
  try {
    const [, before = "0"] = /nice (-?\d+)/.exec(readFileSync(file, "utf8")) ?? [];
    write(preferred);
    return () => write(before);
  } catch {
    // No autogroups here.
    return () => undefined;
  }
};

const write = (weight: string): void => {
  try {
    writeFileSync(file, weight);
  } catch {
    // No right to a larger weight; or it was changed a moment ago.
  }
};
