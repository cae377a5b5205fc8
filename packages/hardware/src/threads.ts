import { readlinkSync } from "node:fs";
import { readlink } from "node:fs/promises";
import { constants, setPriority } from "node:os";

/** Threads of libuv's pool; as in libuv, what is no number is one. */
const poolSize = Number.parseInt(process.env["UV_THREADPOOL_SIZE"] ?? "4", 10) || 1;
/** Calls at once: more than the pool has threads, so that several of them take some. */
const probes = 64;
/** A thread that has taken none of so many is not there. */
const mostRounds = 200;

/**
 * Lets the event loop go before the threads that decode images (libuv's pool, and those that they start): a body's first byte
 * is timestamped when it comes, and not after a decoder.
 *
 * Only Linux keeps a priority for each thread; elsewhere this does nothing.
 */
export const preferEventLoop = async (): Promise<void> => {
  if (process.platform !== "linux") return;
  const threads = new Set<string>();
  for (let round = 0; round < mostRounds && threads.size < poolSize; round += 1) {
    // /proc/thread-self is the thread that asks: here those of the pool.
    const links = await Promise.all(Array.from({ length: probes }, () => readlink("/proc/thread-self")));
    for (const link of links) threads.add(link);
  }
  for (const link of threads) moveToBackground(link);
};

/** The same for the thread that calls this, a worker. */
export const stayInBackground = (): void => {
  if (process.platform === "linux") moveToBackground(readlinkSync("/proc/thread-self"));
};

/** @param link `<process>/task/<thread>` */
const moveToBackground = (link: string): void =>
  setPriority(Number(link.split("/").at(-1)), constants.priority.PRIORITY_LOW);
