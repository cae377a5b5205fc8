import { randomStream } from "@offloadlab/model";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Rows } from "./network.ts";
import { ReplayBuffer, type Transition, transitionWidth } from "./replay-buffer.ts";

const shape: Rows = { rows: 2, features: 2, actions: 1, values: 1 };
const width = shape.rows * transitionWidth(shape);

/** A transition whose numbers say which it is. */
const transition = (i: number, terminated = false): Transition => ({
  state: Float32Array.of(i, i + 0.1, i + 0.2, i + 0.3),
  action: Float32Array.of(i + 0.4, i + 0.5),
  reward: Float32Array.of(i + 0.6, i + 0.7),
  next: Float32Array.of(i + 1, i + 1.1, i + 1.2, i + 1.3),
  terminated,
});
const filled = (count: number, capacity: number): ReplayBuffer => {
  const buffer = new ReplayBuffer(shape, capacity);
  for (let i = 0; i < count; i++) buffer.push(transition(i));
  return buffer;
};
/** Which transitions there are, in the order in which they lie. */
const held = (buffer: ReplayBuffer): number[] => {
  const { data } = buffer.snapshot();
  return Array.from({ length: data.length / width }, (_, i) => data[i * width] as number);
};

it("lays a row out as s, a, r, s' and whether values of s' count", () => {
  for (const [terminated, continues] of [
    [false, 1],
    [true, 0],
  ] as const) {
    const buffer = new ReplayBuffer(shape, 4);
    buffer.push(transition(7, terminated));
    const first = [7, 7.1, 7.4, 7.6, 8, 8.1, continues];
    const second = [7.2, 7.3, 7.5, 7.7, 8.2, 8.3, continues];
    expect([...buffer.snapshot().data]).toEqual([...first, ...second].map(Math.fround));
  }
});

it("holds the last transitions, as many as it has room for", () => {
  fc.assert(
    fc.property(fc.nat(60), fc.integer({ min: 1, max: 20 }), (count, capacity) => {
      const buffer = filled(count, capacity);
      expect(buffer.length).toBe(Math.min(count, capacity));
      const last = Array.from({ length: buffer.length }, (_, i) => count - buffer.length + i);
      expect(held(buffer).sort((a, b) => a - b)).toEqual(last);
    }),
  );
});

it("overwrites the oldest", () => {
  expect(held(filled(5, 4))).toEqual([4, 1, 2, 3]);
});

it("grows without losing any", () => {
  const capacity = 3_000;
  const buffer = filled(capacity, capacity);
  expect(held(buffer)).toEqual(Array.from({ length: capacity }, (_, i) => i));
  buffer.push(transition(capacity));
  expect(held(buffer).slice(0, 2)).toEqual([capacity, 1]);
});

it("copies what it is given", () => {
  const buffer = new ReplayBuffer(shape, 4);
  const given = transition(1);
  buffer.push(given);
  given.state.fill(9);
  expect(held(buffer)).toEqual([1]);
});

it("draws whole transitions, each about equally often, and the same from the same stream", () => {
  const buffer = filled(10, 8);
  const draw = (size: number): Float32Array => {
    const batch = new Float32Array(size * width);
    buffer.sample(randomStream(1), size, batch);
    return batch;
  };
  const batch = draw(8_000);
  const times = new Map<number, number>();
  for (let i = 0; i < 8_000; i++) {
    const at = i * width;
    const which = batch[at] as number;
    expect(batch[at + 8]).toBe(Math.fround(which + 0.3));
    times.set(which, (times.get(which) ?? 0) + 1);
  }
  expect([...times.keys()].sort((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  // Five deviations of a binomial: √(8,000 · 1/8 · 7/8) = 30.
  for (const count of times.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  expect(draw(50)).toEqual(draw(50));
});

it("does not draw from nothing", () => {
  expect(() => new ReplayBuffer(shape, 4).sample(randomStream(1), 1, new Float32Array(width))).toThrow(RangeError);
});

it("goes on from a snapshot as if it had not been stopped", () => {
  fc.assert(
    fc.property(fc.nat(40), fc.nat(40), fc.integer({ min: 1, max: 20 }), (before, after, capacity) => {
      const stopped = new ReplayBuffer(shape, capacity);
      stopped.restore(filled(before, capacity).snapshot());
      for (let i = before; i < before + after; i++) stopped.push(transition(i));
      expect(stopped.snapshot()).toEqual(filled(before + after, capacity).snapshot());
    }),
  );
});

it("grows after a restore, too", () => {
  const buffer = new ReplayBuffer(shape, 5_000);
  buffer.restore(filled(1_500, 5_000).snapshot());
  for (let i = 1_500; i < 5_000; i++) buffer.push(transition(i));
  expect(held(buffer)).toEqual(Array.from({ length: 5_000 }, (_, i) => i));
});

it("shares no memory with its snapshots", () => {
  const buffer = filled(3, 4);
  const snapshot = buffer.snapshot();
  snapshot.data.fill(9);
  expect(held(buffer)).toEqual([0, 1, 2]);
  const other = new ReplayBuffer(shape, 4);
  const given = buffer.snapshot();
  other.restore(given);
  given.data.fill(9);
  expect(held(other)).toEqual([0, 1, 2]);
});

it("refuses a snapshot that is not as long as it says", () => {
  const { pushed, data } = filled(3, 4).snapshot();
  const buffer = new ReplayBuffer(shape, 4);
  expect(() => buffer.restore({ pushed: pushed + 1, data })).toThrow(RangeError);
  expect(() => new ReplayBuffer(shape, 2).restore({ pushed, data })).toThrow(RangeError);
});
