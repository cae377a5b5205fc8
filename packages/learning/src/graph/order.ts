import type { Expression } from "./expression.ts";

/** Everything that expressions are computed from, and they themselves; inputs before what uses them. */
export const inOrder = (...roots: readonly Expression[]): Expression[] => {
  const order: Expression[] = [];
  const seen = new Set<Expression>();
  const visit = (expression: Expression): void => {
    if (seen.has(expression)) return;
    seen.add(expression);
    expression.inputs.forEach(visit);
    order.push(expression);
  };
  roots.forEach(visit);
  return order;
};

/** Operations whose result has no gradient, or is taken as given. */
const barriers: ReadonlySet<string> = new Set(["stop", "atMost", "above"]);

/**
 * The expressions through which gradients flow to variables, the variables included.
 *
 * @param order inputs before what uses them
 */
export const dependents = (
  order: readonly Expression[],
  variables: ReadonlySet<Expression>,
): ReadonlySet<Expression> => {
  const found = new Set<Expression>();
  for (const expression of order) {
    const { operation, inputs } = expression;
    const flows = !barriers.has(operation.kind) && inputs.some((input) => found.has(input));
    if (flows || variables.has(expression)) found.add(expression);
  }
  return found;
};
