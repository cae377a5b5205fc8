import { readlinkSync } from "node:fs";
import { readlink } from "node:fs/promises";
import { constants, setPriority } from "node:os";

/** More calls at once than libuv has threads, so that every thread of its pool takes some. */
const probes = 64;

/**
 * Lets the event loop go before the threads that decode images (libuv's pool): a body's first byte is timestamped when
 * it comes, and not after a decoder.
 *
 * Only Linux keeps a priority for each thread; elsewhere this does nothing.
 */
export const preferEventLoop = async (): Promise<void> => {
  if (process.platform !== "linux") return;
  // /proc/thread-self is the thread that asks: here those of the pool.
  const links = await Promise.all(Array.from({ length: probes }, () => readlink("/proc/thread-self")));
  for (const link of new Set(links)) moveToBackground(link);
};

/** The same for the thread that calls this, a worker. */
export const stayInBackground = (): void => {
  if (process.platform === "linux") moveToBackground(readlinkSync("/proc/thread-self"));
};

/** @param link `<process>/task/<thread>` */
const moveToBackground = (link: string): void =>
  setPriority(Number(link.split("/").at(-1)), constants.priority.PRIORITY_LOW);
