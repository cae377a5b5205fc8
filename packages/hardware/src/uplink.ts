import { type BitsPerSecond, bitsOf, bytes, seconds } from "@offloadlab/units";
import type { Clock } from "./clock.ts";

const smallPieceBytes = 8 * 1024;
const maxPieceBytes = 128 * 1024;
/** Real time between two pieces: a timer's grain is 1 ms, so finer pieces would only come in bursts. */
const pieceMilliseconds = 4;

/**
 * The radio's rate, emulated: yields the pieces of a body so that they leave at a rate, the first at once and the last
 * D / r after it.
 *
 * The schedule is absolute: a late piece does not delay the ones after it. Both end pieces are small, so that their own
 * transmission does not count.
 */
export async function* pacedBody(
  body: Uint8Array,
  rate: BitsPerSecond,
  clock: Clock,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const start = clock.now();
  const due = (sent: number) => seconds(start + bitsOf(bytes(sent)) / rate);
  const perTick = ((rate / clock.speed) * (pieceMilliseconds / 1000)) / 8;
  const pieceBytes = Math.min(Math.max(Math.ceil(perTick), smallPieceBytes), maxPieceBytes);
  // Both ends of a body of two small pieces or less are its halves.
  const endBytes = Math.min(smallPieceBytes, Math.floor(body.length / 2));
  const tail = body.length - endBytes;
  let sent = endBytes;
  if (sent > 0) yield body.subarray(0, sent);
  while (sent < tail) {
    const end = Math.min(sent + pieceBytes, tail);
    await clock.sleepUntil(due(end), signal);
    yield body.subarray(sent, end);
    sent = end;
  }
  await clock.wakeAt(due(body.length), signal);
  if (tail < body.length) yield body.subarray(tail);
}
