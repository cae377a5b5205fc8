import { readdirSync } from "node:fs";
import { constants, setPriority } from "node:os";

/**
 * Lets the event loop's thread go before all others of this process: decoding and inference in the background must not
 * delay the timestamp of a body's first byte or a timer.
 *
 * Linux keeps priorities by thread, and its thread ids are listed in /proc; elsewhere this does nothing. Call it when
 * the threads are there: a thread that is started later inherits the priority of the one that starts it.
 */
export const preferEventLoop = (): void => {
  if (process.platform !== "linux") return;
  for (const thread of readdirSync("/proc/self/task").map(Number)) {
    if (thread === process.pid) continue;
    try {
      setPriority(thread, constants.priority.PRIORITY_LOW);
    } catch (error) {
      // It has ended meanwhile.
      if ((error as NodeJS.ErrnoException).code !== "ERR_SYSTEM_ERROR") throw error;
    }
  }
};
