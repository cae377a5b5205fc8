import type { Expression } from "./expression.ts";

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
