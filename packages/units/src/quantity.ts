declare const unit: unique symbol;

/** A number whose unit is its type. Arithmetic yields a plain `number`; name the unit of the result with its constructor. */
export type Quantity<Unit extends string> = number & { readonly [unit]: Unit };

/**
 * Makes the constructor of a quantity.
 *
 * @throws RangeError when the value is not finite
 */
const quantity =
  <Unit extends string>(symbol: Unit) =>
  (value: number): Quantity<Unit> => {
    if (!Number.isFinite(value)) throw new RangeError(`Expected a finite number of ${symbol}, got ${value}`);
    return value as Quantity<Unit>;
  };

export type Seconds = Quantity<"s">;
export type Joules = Quantity<"J">;
export type Watts = Quantity<"W">;
export type Hertz = Quantity<"Hz">;
export type Cycles = Quantity<"cycle">;
export type Bits = Quantity<"bit">;
export type Bytes = Quantity<"B">;
export type BitsPerSecond = Quantity<"bit/s">;
export type Meters = Quantity<"m">;
/** Effective switched capacitance: energy per cycle and squared clock, J·s². */
export type Capacitance = Quantity<"J·s²">;
/** A share in [0, 1]. */
export type Ratio = Quantity<"1">;
/** A non-negative integer. */
export type Count = Quantity<"#">;

export const seconds = quantity("s");
export const joules = quantity("J");
export const watts = quantity("W");
export const hertz = quantity("Hz");
export const cycles = quantity("cycle");
export const bits = quantity("bit");
export const bytes = quantity("B");
export const bitsPerSecond = quantity("bit/s");
export const meters = quantity("m");
export const capacitance = quantity("J·s²");

/**
 * A share in [0, 1].
 *
 * @throws RangeError outside [0, 1]
 */
export const ratio = (value: number): Ratio => {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`Expected a ratio in [0, 1], got ${value}`);
  return value as Ratio;
};

/**
 * A non-negative integer.
 *
 * @throws RangeError otherwise
 */
export const count = (value: number): Count => {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`Expected a non-negative integer, got ${value}`);
  return value as Count;
};

/** Eight bits to the byte: Eq. (2) divides bits by bit/s, images come in bytes. */
export const bitsOf = (size: Bytes): Bits => bits(8 * size);

/** The bytes that hold a number of bits. */
export const bytesOf = (size: Bits): Bytes => bytes(size / 8);
