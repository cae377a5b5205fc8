import fc from "fast-check";

/**
 * Asserts that a product of powers has the dimension of its formula: scaling argument i by s scales the result by
 * s^exponent. `undefined` leaves an argument out.
 */
export const scalesAs = (equation: (...args: never[]) => number, exponents: readonly (number | undefined)[]): void => {
  // Values and scales up to 1, so that arguments that are ratios stay ratios.
  const part = fc.double({ min: 0.1, max: 1, noNaN: true });
  const args = fc.array(part, { minLength: exponents.length, maxLength: exponents.length });
  const call = (values: number[]): number => equation(...(values as never[]));

  fc.assert(
    fc.property(args, part, (values, scale) =>
      exponents.every((exponent, scaled) => {
        if (exponent === undefined) return true;
        const result = call(values.map((value, i) => (i === scaled ? value * scale : value)));
        return isClose(result, call(values) * scale ** exponent);
      }),
    ),
  );
};

/** Equal but for the rounding of a few operations. */
export const isClose = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b));
