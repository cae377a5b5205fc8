import { type Expression, sameShape, sizeOf } from "./expression.ts";
import { inOrder } from "./order.ts";

/** Values by the names of inputs or outputs, row-major. */
export type Values = Readonly<Record<string, Float32Array>>;

/** Expressions that an engine runs, all at once. */
export interface Program {
  /**
   * Computes the outputs.
   *
   * @param feeds a value for each input; unchanged
   * @throws RangeError when one is missing or has another size
   */
  run(feeds: Values): Promise<Values>;
  close(): Promise<void>;
}

/** Makes programs of named expressions. */
export interface Engine {
  readonly name: string;
  open(name: string, outputs: Readonly<Record<string, Expression>>): Promise<Program>;
}

/** What a program is fed. */
export interface Input {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * The inputs that expressions are computed from, each once.
 *
 * @throws RangeError when two inputs of a name have different shapes
 */
export const inputsOf = (outputs: readonly Expression[]): Input[] => {
  const inputs = new Map<string, Input>();
  for (const { operation, shape } of inOrder(...outputs)) {
    if (operation.kind !== "input") continue;
    const { name } = operation;
    const known = inputs.get(name);
    if (known !== undefined && !sameShape(known.shape, shape)) {
      throw new RangeError(`Expected one shape for input \`${name}\`, got [${known.shape}] and [${shape}]`);
    }
    inputs.set(name, { name, shape });
  }
  return [...inputs.values()];
};

/** @throws RangeError when the input's value is missing or has another size */
export const fed = (feeds: Values, { name, shape }: Input): Float32Array => {
  const value = feeds[name];
  const size = sizeOf(shape);
  if (value?.length !== size) {
    throw new RangeError(`Expected ${size} values for input \`${name}\`, got ${value?.length ?? "none"}`);
  }
  return value;
};
