// The loop of Eq. (25) in WebAssembly, for its SIMD: two sums of double precision in one instruction, which JavaScript has
// not. The bytes of the module are put together here (WebAssembly core specification 2.0, section 5, "Binary Format").

/** Most numbers that are added up at a time: their sums stay in a processor's second cache. A multiple of `stride`. */
export const pieceLength = 1 << 15;
/** Numbers of one turn of the loop. */
export const stride = 8;
/** Arrays that are added in one turn, one after the other. */
export const termCount = 4;
export const sumBytes = Float64Array.BYTES_PER_ELEMENT;
export const termBytes = Float32Array.BYTES_PER_ELEMENT;

/**
 * Adds four arrays of float32 to sums of float64, the first one first, in a memory.
 *
 * Arguments are the places of the sums and of the arrays in bytes, and how many strides of them to add.
 */
export const adder = (memory: WebAssembly.Memory) => {
  const { exports } = new WebAssembly.Instance(compiled, { "": { memory } });
  return exports["add"] as (
    sums: number,
    first: number,
    second: number,
    third: number,
    fourth: number,
    turns: number,
  ) => void;
};

/** Unsigned LEB128. */
const leb = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)]);
/** Signed LEB128 of a value from −64 to 8191. */
const signedLeb = (value: number): number[] => (value < 64 ? [value & 127] : [(value & 127) | 128, value >>> 7]);
const sized = (bytes: readonly number[]): number[] => [...leb(bytes.length), ...bytes];
const name = (text: string): number[] => sized([...new TextEncoder().encode(text)]);
const section = (id: number, ...bytes: readonly number[]): number[] => [id, ...sized(bytes)];

const i32 = 0x7f;
const sums = 0;
const terms = Array.from({ length: termCount }, (_, term) => 1 + term);
const turns = 1 + termCount;
const get = (local: number): number[] => [0x20, local];
/** local += value */
const advance = (local: number, value: number): number[] => [
  ...get(local),
  ...[0x41, ...signedLeb(value)], // i32.const
  ...[0x6a, 0x21, local], // i32.add, local.set
];
/** A vector instruction. @param align binary logarithm, of one that is about the memory */
const vector = (code: number, align?: number, offset = 0): number[] => [
  ...[0xfd, ...leb(code)],
  ...(align === undefined ? [] : [align, ...leb(offset)]),
];

/** sums[2 pair, 2 pair + 1] += terms[2 pair, 2 pair + 1], one term after the other */
const addPair = (pair: number): number[] => [
  ...get(sums),
  ...get(sums),
  ...vector(0x00, 3, 2 * sumBytes * pair), // v128.load
  ...terms.flatMap((term) => [
    ...get(term),
    ...vector(0x5d, 2, 2 * termBytes * pair), // v128.load64_zero
    ...vector(0x5f), // f64x2.promote_low_f32x4
    ...vector(0xf0), // f64x2.add
  ]),
  ...vector(0x0b, 3, 2 * sumBytes * pair), // v128.store
];

const loop = [
  ...[0x03, 0x40], // loop
  ...Array.from({ length: stride / 2 }, (_, pair) => addPair(pair)).flat(),
  ...advance(sums, stride * sumBytes),
  ...terms.flatMap((term) => advance(term, stride * termBytes)),
  ...advance(turns, -1),
  ...get(turns),
  ...[0x0d, 0x00, 0x0b], // br_if 0, end
];

const parameters = Array.from({ length: turns + 1 }, () => i32);
const compiled = new WebAssembly.Module(
  Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, 1, 0x60, ...sized(parameters), 0), // one type: of so many i32 to nothing
    ...section(2, 1, ...name(""), ...name("memory"), 0x02, 0x00, 0), // import
    ...section(3, 1, 0), // one function of type 0
    ...section(7, 1, ...name("add"), 0x00, 0), // export
    ...section(10, 1, ...sized([0, ...loop, 0x0b])), // code without further locals
  ]),
);
