import { execFile } from "node:child_process";
import { readlinkSync } from "node:fs";
import { readlink } from "node:fs/promises";
import { promisify } from "node:util";

/** More calls at once than libuv has threads, so that every thread of its pool takes some. */
const probes = 64;

/**
 * Lets the event loop go before the threads that decode images (libuv's pool): a body's first byte is timestamped when
 * it comes, not when a decoder has used up its time slice.
 *
 * Decoders get the scheduling class for background work (SCHED_IDLE, sched(7)), which any user may give away, by the
 * `chrt` of util-linux; a mere nice value does not shorten the slice of a thread that runs. Only Linux has it, and
 * without `chrt` it is left undone.
 */
export const preferEventLoop = async (): Promise<void> => {
  if (process.platform !== "linux") return;
  // /proc/thread-self is the thread that asks: here those of the pool.
  const links = await Promise.all(Array.from({ length: probes }, () => readlink("/proc/thread-self")));
  await Promise.all([...new Set(links)].map(moveToBackground));
};

/** The same for the thread that calls this, a worker. */
export const stayInBackground = async (): Promise<void> => {
  if (process.platform === "linux") await moveToBackground(readlinkSync("/proc/thread-self"));
};

/** @param link `<process>/task/<thread>` */
const moveToBackground = async (link: string): Promise<void> => {
  const thread = link.split("/").at(-1) ?? "";
  await promisify(execFile)("chrt", ["--idle", "--pid", "0", thread]).catch(() => undefined);
};
