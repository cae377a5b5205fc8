// The safetensors layout (huggingface/safetensors, README "Format"): the size of the header in eight bytes, the header in
// JSON, then the tensors one after the other, little-endian. Python, Rust and C++ read it as it is.

/** Float32 tensors by name. A tensor is flat here: who reads it knows its shape. */
export type Tensors = Readonly<Record<string, Float32Array>>;

export interface SafetensorsFile {
  readonly tensors: Tensors;
  /** Texts by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

interface TensorHeader {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const headerAlignment = 8;
/** Headers of ours have some thousand bytes. */
const largestHeader = 100_000_000;

/** The same tensors and texts give the same bytes. */
export const encodeSafetensors = ({ tensors, metadata }: SafetensorsFile): Uint8Array<ArrayBuffer> => {
  let end = 0;
  const headers = Object.entries(tensors).map(([name, { length, byteLength }]): [string, TensorHeader] => {
    const start = end;
    end += byteLength;
    return [name, { dtype: "F32", shape: [length], data_offsets: [start, end] }];
  });
  const header = Object.fromEntries<unknown>([["__metadata__", metadata], ...headers]);
  const json = new TextEncoder().encode(JSON.stringify(header));
  const headerSize = Math.ceil(json.length / headerAlignment) * headerAlignment;
  const bytes = new Uint8Array(8 + headerSize + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerSize), true);
  bytes.fill(0x20, 8, 8 + headerSize);
  bytes.set(json, 8);
  let at = 8 + headerSize;
  for (const { buffer, byteOffset, byteLength } of Object.values(tensors)) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  return bytes;
};

/** Tensors without a text, sorted by name: equal ones give the same bytes whatever their order, and one digest. */
export const encodeTensors = (tensors: Tensors): Uint8Array<ArrayBuffer> =>
  encodeSafetensors({ tensors: sortedByName(tensors), metadata: {} });

export const sortedByName = (tensors: Tensors): Tensors =>
  Object.fromEntries(Object.entries(tensors).sort(([a], [b]) => (a < b ? -1 : 1)));

/**
 * Reads what `encodeSafetensors` or another library wrote.
 *
 * @throws RangeError when the bytes do not follow the layout, or a tensor is not of float32
 */
export const decodeSafetensors = (bytes: Uint8Array): SafetensorsFile => {
  const { header, start } = readHeader(bytes);
  const { __metadata__: metadata = {}, ...entries } = header;
  const tensors = Object.entries(entries).map(([name, entry]): [string, Float32Array] => {
    const { dtype, shape, data_offsets: offsets } = tensorHeader(entry);
    const [from = Number.NaN, to = Number.NaN] = offsets;
    const size = shape.reduce((product, each) => product * each, 4);
    if (dtype !== "F32") throw new RangeError(`Expected float32 in tensor \`${name}\`, got ${dtype}`);
    if (!(from >= 0 && to - from === size && start + to <= bytes.length)) {
      throw new RangeError(
        `Expected ${size} bytes of tensor \`${name}\` in ${bytes.length - start}, got ${from} to ${to}`,
      );
    }
    // A copy: its place in the file need not suit float32. A Buffer's own `slice` would be no copy.
    return [name, new Float32Array(Uint8Array.from(bytes.subarray(start + from, start + to)).buffer)];
  });
  if (!isRecord(metadata) || !Object.values(metadata).every((text) => typeof text === "string")) {
    throw new RangeError("Expected texts in the metadata of safetensors, got something else");
  }
  return { tensors: Object.fromEntries(tensors), metadata: metadata as Readonly<Record<string, string>> };
};

/** A tensor's entry as it should be; what it is not becomes what no tensor has. */
const tensorHeader = (entry: unknown): TensorHeader => {
  const { dtype, shape, data_offsets: offsets } = (isRecord(entry) ? entry : {}) as Partial<TensorHeader>;
  const areSizes = (list: unknown): boolean =>
    Array.isArray(list) && list.every((size) => Number.isSafeInteger(size) && size >= 0);
  return {
    dtype: String(dtype),
    shape: areSizes(shape) ? (shape as readonly number[]) : [Number.NaN],
    data_offsets: areSizes(offsets) ? (offsets as [number, number]) : [Number.NaN, Number.NaN],
  };
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const readHeader = (bytes: Uint8Array): { readonly header: Record<string, unknown>; readonly start: number } => {
  const size = bytes.length < 8 ? -1 : Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (!(size >= 0 && size <= largestHeader && 8 + size <= bytes.length)) {
    throw new RangeError(`Expected safetensors with their header, got ${bytes.length} bytes`);
  }
  try {
    const header: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + size)));
    if (isRecord(header)) return { header, start: 8 + size };
  } catch {
    // Told below.
  }
  throw new RangeError("Expected a header of safetensors in JSON, got something else");
};
