import type { Proximal } from "./agent.ts";
import { type Expression, gradients, multiply, square, subtract, sum } from "./graph/expression.ts";

/**
 * The gradient of λ/2 ‖θ − θ_f‖², the proximal term of Eqs. (23) and (24): λ (θ − θ_f).
 *
 * @param weights θ, [..., size]
 * @param globalWeights θ_f, as θ
 * @param lambda λ of each network, [..., 1]
 */
export const proximalGradient = (weights: Expression, globalWeights: Expression, lambda: Expression): Expression => {
  const term = sum(multiply(multiply(lambda, 0.5), square(subtract(weights, globalWeights))));
  return gradients(term, [weights])[0] as Expression;
};

/** Whether any network is drawn. */
export const isDrawn = (proximal: Proximal | undefined): proximal is Proximal =>
  proximal !== undefined && Object.values(proximal.lambdas).some((lambda) => lambda !== 0);

/** @throws RangeError when a learner without a proximal term is to be drawn */
export const refuseProximal = (learner: string, proximal: Proximal | undefined): void => {
  if (isDrawn(proximal)) throw new RangeError(`Expected every λ of ${learner} to be 0: it has no proximal term`);
};
