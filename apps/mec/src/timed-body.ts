import type { Readable } from "node:stream";
import { Failure } from "@offloadlab/protocol";

/** A request body and when its first and last bytes came. */
export interface TimedBody {
  readonly body: Buffer;
  /** Real time from first to last byte on this server's monotonic clock. */
  readonly milliseconds: number;
}

/**
 * Reads a body and times it, first to last byte. What the sender's kernel has buffered does not count as sent here.
 *
 * @throws Failure `wire/too-large` as soon as more than `limit` bytes have come; `peer/unreachable` when the peer leaves
 */
export const readTimedBody = (stream: Readable, limit: number): Promise<TimedBody> =>
  new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let size = 0;
    let first: number | undefined;
    let last = 0;
    stream.on("data", (piece: Buffer) => {
      last = performance.now();
      first ??= last;
      size += piece.length;
      if (size <= limit) {
        pieces.push(piece);
      } else {
        stream.removeAllListeners("data");
        stream.resume();
        reject(
          new Failure("wire/too-large", `expected a body of at most ${limit} bytes, got more; send a smaller image`),
        );
      }
    });
    stream.once("end", () => resolve({ body: Buffer.concat(pieces), milliseconds: last - (first ?? last) }));
    stream.once("error", (error) =>
      reject(new Failure("peer/unreachable", `the upload broke off after ${size} bytes`, { cause: error })),
    );
    stream.once("close", () => reject(new Failure("peer/unreachable", `the upload broke off after ${size} bytes`)));
  });
