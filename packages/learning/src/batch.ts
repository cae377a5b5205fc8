import { type Expression, input, slice } from "./graph/expression.ts";
import type { Rows } from "./network.ts";
import { transitionWidth } from "./replay-buffer.ts";

/** The parts of a batch of transitions; each row is a device's, or a community's. */
export interface Batch {
  /** [states · rows, features] */
  readonly states: Expression;
  /** [states · rows, actions] */
  readonly actions: Expression;
  /** [states · rows, features + actions]: what a critic reads, as it lies in the buffer. */
  readonly statesAndActions: Expression;
  /** [states · rows, values] */
  readonly rewards: Expression;
  /** [states · rows, features] */
  readonly nextStates: Expression;
  /** [states · rows, 1]: 0 after a terminal state, else 1. */
  readonly continues: Expression;
}

/** Alg. 1, line 13: N transitions as a replay buffer draws them, fed as `batch`. */
export const batchInput = (shape: Rows, batchSize: number): Batch => {
  const { rows, features, actions, values } = shape;
  const batch = input("batch", [batchSize * rows, transitionWidth(shape)]);
  const columns = (start: number, count: number): Expression => slice(batch, 1, start, start + count);
  return {
    states: columns(0, features),
    actions: columns(features, actions),
    statesAndActions: columns(0, features + actions),
    rewards: columns(features + actions, values),
    nextStates: columns(features + actions + values, features),
    continues: columns(2 * features + actions + values, 1),
  };
};
