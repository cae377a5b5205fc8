// Protobuf's wire format (protobuf.dev, "Encoding"): a message is a list of fields, each a tag (field number and wire
// type) and a value. Messages are built as lists of chunks, so that large tensors are copied once, into the final buffer.

/** The encoded fields of a message, in order. */
export type Fields = readonly Uint8Array[];

const text = new TextEncoder();

/** Base-128 varint; a negative number is its 64-bit two's complement, ten bytes long, as int64 wants. */
const varint = (value: number | bigint): Uint8Array => {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new RangeError(`Expected an integer that a varint can carry, got ${value}`);
  }
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
};

const lengthOf = (chunks: Fields): number => chunks.reduce((sum, chunk) => sum + chunk.length, 0);

/** An int32, int64 or enum field: wire type 0. */
export const integerField = (field: number, value: number | bigint): Fields => [varint(field << 3), varint(value)];

/** A float field: wire type 5, little-endian. */
export const floatField = (field: number, value: number): Fields => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return [varint((field << 3) | 5), bytes];
};

/** A bytes field: wire type 2. */
export const bytesField = (field: number, value: Uint8Array): Fields => messageField(field, [value]);

/** A string field in UTF-8: wire type 2. */
export const stringField = (field: number, value: string): Fields => bytesField(field, text.encode(value));

/** A field that holds a message: wire type 2. */
export const messageField = (field: number, message: Fields): Fields => [
  varint((field << 3) | 2),
  varint(lengthOf(message)),
  ...message,
];

/** The message as one buffer. */
export const joined = (message: Fields): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(lengthOf(message));
  let offset = 0;
  for (const chunk of message) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
};
