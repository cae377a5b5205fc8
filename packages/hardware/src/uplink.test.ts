import { randomStream } from "@offloadlab/model";
import { bitsPerSecond } from "@offloadlab/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Clock, unixNow } from "./clock.ts";
import { pacedBody } from "./uplink.ts";

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

it("the pieces are the body, none of them empty or beyond a frame", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 400_000 }), fc.integer({ min: 1e9, max: 1e11 }), async (size, rate) => {
      const body = Buffer.alloc(size);
      for (let place = 0; place < size; place += 1) body[place] = place % 251;
      const pieces: Uint8Array[] = [];
      for await (const piece of pacedBody(body, bitsPerSecond(rate), new Clock(unixNow(), 1))) pieces.push(piece);
      expect(Buffer.concat(pieces).equals(body)).toBe(true);
      expect(pieces.every(({ length }) => length > 0 && length <= 128 * 1024)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

it.each([1, 2])(
  "first to last piece take D / r, within 2 % in the median of 20 bodies (speed %i)",
  async (speed) => {
    const random = randomStream(1, "uplink", speed);
    const errors: number[] = [];
    for (let upload = 0; upload < 20; upload += 1) {
      const body = new Uint8Array(random.uniform(0.5e6, 1.5e6));
      const rate = random.uniform(30e6, 100e6);
      const clock = new Clock(unixNow(), speed);
      let first: number | undefined;
      let last = 0;
      for await (const _ of pacedBody(body, bitsPerSecond(rate), clock)) {
        last = clock.now();
        first ??= last;
      }
      errors.push(Math.abs((last - (first ?? 0)) / ((8 * body.length) / rate) - 1));
    }
    expect(median(errors)).toBeLessThan(0.02);
  },
  20_000,
);

it("the pieces keep to the rate all the way, so that no burst fills a buffer", async () => {
  const clock = new Clock(unixNow(), 1);
  const rate = 50e6;
  const start = clock.now();
  let sent = 0;
  const lead: number[] = [];
  for await (const piece of pacedBody(new Uint8Array(1e6), bitsPerSecond(rate), clock)) {
    sent += piece.length;
    lead.push((8 * sent) / rate - (clock.now() - start));
  }
  // The first piece leaves at once and is 8 KiB; the others do not leave before their time.
  expect(lead[0]).toBeLessThan((8 * 8192) / rate + 1e-6);
  expect(Math.max(...lead.slice(1))).toBeLessThan(1e-6);
  expect(lead.length).toBeGreaterThan(20);
});

it("an abort ends the upload with the signal's reason", async () => {
  const abort = new AbortController();
  const pieces = pacedBody(new Uint8Array(1e6), bitsPerSecond(1e5), new Clock(unixNow(), 1), abort.signal);
  await pieces.next();
  const next = pieces.next();
  abort.abort("deadline");
  await expect(next).rejects.toBe("deadline");
});
