import fc from "fast-check";
import { expect, it } from "vitest";
import { decodeSafetensors, encodeSafetensors, encodeTensors } from "./safetensors.ts";

it("reads what it wrote, bit for bit", () => {
  const tensors = fc.dictionary(
    fc.string({ minLength: 1 }).filter((name) => name !== "__metadata__"),
    fc.float32Array(),
  );
  fc.assert(
    fc.property(tensors, fc.dictionary(fc.string(), fc.string()), (tensors, metadata) => {
      const read = decodeSafetensors(encodeSafetensors({ tensors, metadata }));
      expect(Object.keys(read.tensors)).toEqual(Object.keys(tensors));
      for (const [name, values] of Object.entries(tensors)) {
        const bits = (array: Float32Array | undefined) =>
          array && Buffer.from(array.buffer, array.byteOffset, array.byteLength);
        expect(bits(read.tensors[name])).toEqual(bits(values));
      }
      expect(read.metadata).toEqual({ ...metadata });
    }),
  );
});

it("reads a Buffer that is a part of a larger one", () => {
  const bytes = encodeSafetensors({ tensors: { a: Float32Array.of(1, 2), b: Float32Array.of(3) }, metadata: {} });
  const read = decodeSafetensors(
    Buffer.concat([Buffer.alloc(3), bytes, Buffer.alloc(5)]).subarray(3, 3 + bytes.length),
  );
  expect(read.tensors).toEqual({ a: Float32Array.of(1, 2), b: Float32Array.of(3) });
});

it("equal tensors have equal bytes, in whatever order they are", () => {
  const [a, b] = [Float32Array.of(1, 2), Float32Array.of(3)];
  expect(encodeTensors({ b, a })).toEqual(encodeTensors({ a, b }));
  expect(decodeSafetensors(encodeTensors({ b, a })).tensors).toEqual({ a, b });
});

it("has the layout that other libraries read", () => {
  const bytes = encodeSafetensors({ tensors: { a: Float32Array.of(1, -2) }, metadata: { epoch: "3" } });
  const json = '{"__metadata__":{"epoch":"3"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
  const size = Math.ceil(json.length / 8) * 8;
  expect(Number(new DataView(bytes.buffer).getBigUint64(0, true))).toBe(size);
  expect(new TextDecoder().decode(bytes.subarray(8, 8 + size)).trimEnd()).toBe(json);
  expect([...new Uint8Array(bytes.subarray(8 + size))]).toEqual([0, 0, 128, 63, 0, 0, 0, 192]);
});

it("refuses whatever is not that, with a RangeError", () => {
  const bytes = encodeSafetensors({ tensors: { a: Float32Array.of(1, 2, 3) }, metadata: {} });
  for (const length of [0, 7, 8, 20, bytes.length - 1]) {
    expect(() => decodeSafetensors(bytes.subarray(0, length)), String(length)).toThrow(RangeError);
  }
  const text = (header: string) => {
    const all = new Uint8Array(8 + header.length);
    new DataView(all.buffer).setBigUint64(0, BigInt(header.length), true);
    all.set(new TextEncoder().encode(header), 8);
    return all;
  };
  expect(() => decodeSafetensors(text('{"a":{"dtype":"F16","shape":[0],"data_offsets":[0,0]}}'))).toThrow("got F16");
  expect(() => decodeSafetensors(text("[1"))).toThrow("a header of safetensors in JSON");
  expect(() => decodeSafetensors(text('{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'))).toThrow(RangeError);
  const refusesAtMost = (input: Uint8Array): void => {
    try {
      decodeSafetensors(input);
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), refusesAtMost));
  const part = fc.record(
    { dtype: fc.constantFrom("F32", 1, null), shape: fc.jsonValue(), data_offsets: fc.jsonValue() },
    { requiredKeys: [] },
  );
  const header = fc.dictionary(fc.constantFrom("a", "b", "__metadata__", "__proto__"), fc.oneof(fc.jsonValue(), part));
  fc.assert(fc.property(header, (entries) => refusesAtMost(text(JSON.stringify(entries)))));
  expect(() => decodeSafetensors(text('{"__metadata__":{"a":1}}'))).toThrow("texts in the metadata");
  expect(() => decodeSafetensors(text('{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}'))).toThrow(
    RangeError,
  );
});
