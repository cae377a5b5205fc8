import fc from "fast-check";
import { expect, it } from "vitest";
import { ModelMemory } from "./model-memory.ts";

/** Of arrays that are elsewhere, and of the same ones held. */
const meanOf = (arrays: readonly Float32Array[]): Float32Array => {
  const copied = new ModelMemory().meanOf(arrays);
  const memory = new ModelMemory({ network: arrays[0]?.length ?? 0 }, arrays.length);
  const held = arrays.map((network) => memory.hold({ network })["network"] as Float32Array);
  expect(bits(memory.meanOf(held))).toEqual(bits(copied));
  return copied;
};

/** The same in plain JavaScript. */
const plainMean = (arrays: readonly Float32Array[]): Float32Array =>
  Float32Array.from(arrays[0] ?? [], (_, i) => {
    let sum = -0;
    for (const array of arrays) sum += array[i] as number;
    return sum / arrays.length;
  });
const bits = (array: Float32Array): Buffer => Buffer.from(array.slice().buffer);

const arraysOf = (length: number) =>
  fc.array(fc.float32Array({ minLength: length, maxLength: length, noNaN: true, noDefaultInfinity: true }), {
    minLength: 1,
    maxLength: 9,
  });

it("Eq. (25) adds as plain JavaScript does, to the last bit, whatever the length", () => {
  fc.assert(
    fc.property(fc.nat(40).chain(arraysOf), (arrays) => {
      expect(bits(meanOf(arrays))).toEqual(bits(plainMean(arrays)));
    }),
  );
});

it.each([32_767, 32_768, 32_769, 100_003])("goes on from piece to piece: %d numbers", (length) => {
  const arrays = [1, 2, 3].map((k) => Float32Array.from({ length }, (_, i) => Math.sin(k * i) * 10 ** (i % 20)));
  expect(Buffer.compare(bits(meanOf(arrays)), bits(plainMean(arrays)))).toBe(0);
});

it("takes parts of larger arrays", () => {
  const packed = Float32Array.from({ length: 100 }, (_, i) => i);
  expect(meanOf([packed.subarray(1, 11), packed.subarray(51, 61)])).toEqual(
    plainMean([packed.slice(1, 11), packed.slice(51, 61)]),
  );
});

it("NaN and infinities stay what they are", () => {
  const mean = meanOf([Float32Array.of(1, Number.NaN, 1 / 0, 1 / 0), Float32Array.of(1, 1, 1, -1 / 0)]);
  expect(mean).toEqual(Float32Array.of(1, Number.NaN, 1 / 0, Number.NaN));
});

it("holds so many models, as they are, until it is cleared", () => {
  const memory = new ModelMemory({ actor: 3, critic: 10 }, 2);
  const model = (value: number) => ({
    actor: new Float32Array(3).fill(value),
    critic: new Float32Array(10).fill(value),
  });
  const [one, two] = [memory.hold(model(1)), memory.hold(model(2))];
  expect([one, two]).toEqual([model(1), model(2)]);
  expect(() => {
    // What is left of the last page.
    for (let i = 0; i < 10_000; i++) memory.hold(model(3));
  }).toThrow(RangeError);
  memory.clear();
  expect(memory.hold(model(4))).toEqual(model(4));
});

it("averages models of which some are held and some are not", () => {
  const memory = new ModelMemory({ network: 5 }, 1);
  const held = memory.hold({ network: Float32Array.of(1, 2, 3, 4, 5) })["network"] as Float32Array;
  const other = Float32Array.of(3, 4, 5, 6, 7);
  expect(ModelMemory.of(held)).toBe(memory);
  expect(memory.meanOf([held, other])).toEqual(Float32Array.of(2, 3, 4, 5, 6));
  expect(ModelMemory.of(other).meanOf([other, held])).toEqual(Float32Array.of(2, 3, 4, 5, 6));
});
