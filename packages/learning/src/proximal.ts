import type { Proximal } from "./agent.ts";
import { type Expression, gradients, multiply, square, subtract, sum } from "./graph/expression.ts";

/**
 * What a network pays for leaving the global one.
 *
 * Eq. (24): h(θ; θ_f) = L(θ) + λ/2 · ‖θ − θ_f‖², of which this is the second summand
 *
 * The norm is squared: without the square, the gradient would have the same length near the global weights as far away.
 *
 * @param weights θ, [..., size]
 * @param globalWeights θ_f, as θ
 * @param lambda λ of each network, [..., 1]: 0 leaves it free, and the more the closer it stays
 */
export const proximalTerm = (weights: Expression, globalWeights: Expression, lambda: Expression): Expression =>
  sum(multiply(multiply(lambda, 0.5), square(subtract(weights, globalWeights))));

/** Its gradient, λ (θ − θ_f), as Eqs. (23) and (24) need it. @param weights and others as in `proximalTerm` */
export const proximalGradient = (weights: Expression, globalWeights: Expression, lambda: Expression): Expression =>
  gradients(proximalTerm(weights, globalWeights, lambda), [weights])[0] as Expression;

/** Whether any network is drawn. */
export const isDrawn = (proximal: Proximal | undefined): proximal is Proximal =>
  proximal !== undefined && Object.values(proximal.lambdas).some((lambda) => lambda !== 0);

/** @throws RangeError when a learner without a proximal term is to be drawn */
export const refuseProximal = (learner: string, proximal: Proximal | undefined): void => {
  if (isDrawn(proximal)) throw new RangeError(`Expected every λ of ${learner} to be 0: it has no proximal term`);
};
