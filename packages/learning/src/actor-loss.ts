import { add, type Expression, mean, multiply, square } from "./graph/expression.ts";
import { type Bounds, sizes } from "./settings.ts";

/** How actors are trained. */
export interface ActorSettings {
  /**
   * κ, at least 0: how strongly an actor's outputs are drawn to 0 before tanh.
   *
   * Early critics drive outputs far into tanh's flat ends, where no later and better critic moves them any more: without it
   * most agents stay with the first rule that rarely fails.
   */
  readonly saturationPenalty: number;
}

export const actorBounds: Readonly<Record<keyof ActorSettings, Bounds>> = { saturationPenalty: sizes };

/**
 * What an actor minimises, Alg. 1, line 18, without its proximal term.
 *
 * −N⁻¹ Σ Q(s, μ(s)) + κ N⁻¹ Σ z², μ(s) = tanh z
 *
 * Differs: the term with κ is ours.
 *
 * @param values of the critic that judges, any shape
 * @param outputs z, any shape
 */
export const actorLossOf = (values: Expression, outputs: Expression, saturationPenalty: number): Expression => {
  const loss = multiply(mean(values), -1);
  return saturationPenalty === 0 ? loss : add(loss, multiply(mean(square(outputs)), saturationPenalty));
};
