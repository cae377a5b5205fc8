import { concat, type Expression, input, reshape, sizeOf, slice } from "./expression.ts";

/** The shapes of a network's weights by their names, in the order in which they lie in one flat array. */
export type Layout = Readonly<Record<string, readonly number[]>>;

export const layoutSize = (layout: Layout): number =>
  Object.values(layout).reduce((sum, shape) => sum + sizeOf(shape), 0);

/** Weights as expressions, by their names. */
export type Weights<L extends Layout = Layout> = Readonly<Record<keyof L & string, Expression>>;

/**
 * A network's weights as one flat input: one array crosses into the engine instead of dozens.
 *
 * @param networks how many networks of this layout, one after the other; their weights get an axis in front
 */
export const parameters = (name: string, layout: Layout, networks?: number): Expression =>
  input(name, networks === undefined ? [layoutSize(layout)] : [networks, layoutSize(layout)]);

/**
 * The weights that lie in the last axis of a tensor.
 *
 * @param flat [..., size of the layout]
 * @returns [..., shape of the weight] each
 */
export const weightsIn = <const L extends Layout>(flat: Expression, layout: L): Weights<L> => {
  const leading = flat.shape.slice(0, -1);
  let start = 0;
  const entries = Object.entries(layout).map(([name, shape]) => {
    const end = start + sizeOf(shape);
    const weight = reshape(slice(flat, leading.length, start, end), [...leading, ...shape]);
    start = end;
    return [name, weight] as const;
  });
  return Object.fromEntries(entries) as Weights<L>;
};

/**
 * Puts weights, or what belongs to them, one after the other as they lie in a flat tensor.
 *
 * @param leadingAxes how many axes in front stay
 */
export const flattened = (parts: readonly Expression[], leadingAxes = 0): Expression =>
  concat(
    parts.map((part) => {
      const leading = part.shape.slice(0, leadingAxes);
      return reshape(part, [...leading, part.size / sizeOf(leading)]);
    }),
    leadingAxes,
  );
