// The other direction of wire.ts. A field whose number nobody asks for is skipped, as protobuf wants it.

/** A field of a message: the value of wire type 0 as an integer, of all others as bytes. */
export interface WireField {
  readonly field: number;
  readonly value: bigint | Uint8Array;
}

/** Sizes of wire types 1 and 5. */
const fixedSizes: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/**
 * The fields of a message, in order.
 *
 * @throws RangeError when the bytes are no message
 */
export const fieldsOf = (message: Uint8Array): WireField[] => {
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new RangeError(`Expected a varint of protobuf that ends, got another at byte ${at}`);
  };
  while (at < message.length) {
    const tag = Number(varint());
    const [field, type] = [Math.floor(tag / 8), tag % 8];
    if (type === 0) {
      fields.push({ field, value: varint() });
      continue;
    }
    const size = type === 2 ? Number(varint()) : fixedSizes[type];
    if (field === 0 || size === undefined || at + size > message.length) {
      throw new RangeError(`Expected a field of protobuf, got something else before byte ${at}`);
    }
    fields.push({ field, value: message.subarray(at, at + size) });
    at += size;
  }
  return fields;
};

/** The messages, strings or bytes of a field, as often as it is there. */
export const bytesOf = (fields: readonly WireField[], field: number): Uint8Array[] =>
  fields.flatMap((each) => (each.field === field && each.value instanceof Uint8Array ? [each.value] : []));

/** The integers of a field, one by one or packed. */
export const integersOf = (fields: readonly WireField[], field: number): number[] =>
  fields.flatMap((each) => {
    if (each.field !== field) return [];
    return typeof each.value === "bigint" ? [Number(BigInt.asIntN(64, each.value))] : packed(each.value);
  });

/** Varints one after the other: each ends with the first byte below 128. */
const packed = (bytes: Uint8Array): number[] => {
  const values: number[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 127) << shift;
    shift += 7n;
    if (byte >= 128) continue;
    values.push(Number(BigInt.asIntN(64, value)));
    value = 0n;
    shift = 0n;
  }
  return values;
};

/** The text of a field, empty without one. */
export const textOf = (fields: readonly WireField[], field: number): string =>
  new TextDecoder().decode(bytesOf(fields, field).at(-1));
