import { adder, pieceLength, stride, sumBytes, termBytes, termCount } from "./adder.ts";
import { mapNetworks, type Weights } from "./weights.ts";

const pageBytes = 65_536;

/** Where things are in the memory: sums of a piece, terms of −0, terms that are copied in; then what is held. */
const sumsAt = 0;
const nothingAt = sumsAt + pieceLength * sumBytes;
const termsAt = nothingAt + pieceLength * termBytes;
const heldAt = termsAt + termCount * pieceLength * termBytes;

const memories = new WeakMap<ArrayBufferLike, ModelMemory>();

/** Float32 numbers that a network takes up. */
const roomOf = (length: number): number => Math.ceil(length / stride) * stride;

/**
 * Memory for models that are to be averaged: WebAssembly reads those that are in it where they are, and others after
 * copying them.
 */
export class ModelMemory {
  readonly #buffer: ArrayBuffer;
  readonly #add: ReturnType<typeof adder>;
  #end = heldAt;

  /**
   * @param shapes of the networks of a model
   * @param modelCount how many it can hold at a time
   */
  constructor(shapes: Readonly<Record<string, number>> = {}, modelCount = 0) {
    const length = Object.values(shapes).reduce((sum, size) => sum + roomOf(size), 0);
    const memory = new WebAssembly.Memory({
      initial: Math.ceil((heldAt + modelCount * length * termBytes) / pageBytes),
    });
    this.#buffer = memory.buffer;
    this.#add = adder(memory);
    new Float32Array(this.#buffer, nothingAt, pieceLength).fill(-0);
    memories.set(this.#buffer, this);
  }

  /** The memory that an array is in, or one for copies of it. */
  static of(array: Float32Array): ModelMemory {
    return memories.get(array.buffer) ?? new ModelMemory();
  }

  /** A model's weights, copied into this memory. @throws RangeError when it is full */
  hold(weights: Weights): Weights {
    return mapNetworks(weights, (network) => {
      const held = new Float32Array(this.#buffer, this.#end, network.length);
      held.set(network);
      this.#end += roomOf(network.length) * termBytes;
      return held;
    });
  }

  /** Forgets what it holds: its room is given away again. */
  clear(): void {
    this.#end = heldAt;
  }

  /**
   * The mean of arrays of one length, each element added up in the arrays' order in double precision and rounded once.
   *
   * @param arrays at least one
   */
  meanOf(arrays: readonly Float32Array[]): Float32Array {
    const mean = new Float32Array(arrays[0]?.length ?? 0);
    const sums = new Float64Array(this.#buffer, sumsAt, pieceLength);
    for (let start = 0; start < mean.length; start += pieceLength) {
      const end = Math.min(start + pieceLength, mean.length);
      // −0 is what changes no number when it is added; 0 would turn −0 into 0.
      sums.fill(-0);
      for (let i = 0; i < arrays.length; i += termCount) {
        const [first = nothingAt, second = nothingAt, third = nothingAt, fourth = nothingAt] = arrays
          .slice(i, i + termCount)
          .map((array, term) => this.#placeOf(array, start, end, term));
        this.#add(sumsAt, first, second, third, fourth, roomOf(end - start) / stride);
      }
      for (let i = start; i < end; i++) mean[i] = (sums[i - start] as number) / arrays.length;
    }
    return mean;
  }

  /** Where in this memory a piece of an array is; what is elsewhere is copied. */
  #placeOf(array: Float32Array, start: number, end: number, term: number): number {
    if (array.buffer === this.#buffer) return array.byteOffset + start * termBytes;
    const place = termsAt + term * pieceLength * termBytes;
    new Float32Array(this.#buffer, place, end - start).set(array.subarray(start, end));
    return place;
  }
}
