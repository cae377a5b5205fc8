import { concat, type Expression, input, reshape, sizeOf, slice } from "./expression.ts";

/** The shapes of a network's weights by their names, in the order in which they lie in one flat array. */
export type Layout = Readonly<Record<string, readonly number[]>>;

export const layoutSize = (layout: Layout): number =>
  Object.values(layout).reduce((sum, shape) => sum + sizeOf(shape), 0);

/** Weights as expressions, by their names. */
export type Weights<L extends Layout = Layout> = Readonly<Record<keyof L & string, Expression>>;

/** A flat input that holds a network's weights, and the weights that lie in it. */
export interface Parameters<L extends Layout = Layout> {
  readonly flat: Expression;
  readonly weights: Weights<L>;
}

/** Weights that are given flat whenever the graph runs: one array crosses into the engine instead of dozens. */
export const parameters = <const L extends Layout>(name: string, layout: L): Parameters<L> => {
  const flat = input(name, [layoutSize(layout)]);
  return { flat, weights: weightsIn(flat, layout) };
};

/** The weights that lie in a flat tensor. */
export const weightsIn = <const L extends Layout>(flat: Expression, layout: L): Weights<L> => {
  let start = 0;
  const entries = Object.entries(layout).map(([name, shape]) => {
    const end = start + sizeOf(shape);
    const weight = reshape(slice(flat, 0, start, end), shape);
    start = end;
    return [name, weight] as const;
  });
  return Object.fromEntries(entries) as Weights<L>;
};

/** Puts tensors one after the other into a flat one, as a layout has them. */
export const flattened = (parts: readonly Expression[]): Expression =>
  concat(
    parts.map((part) => reshape(part, [part.size])),
    0,
  );
