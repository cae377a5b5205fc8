import { incompleteBeta } from "./statistics.ts";

/** How often something was seen, with its 95 % Clopper-Pearson interval. */
export interface Proportion {
  readonly count: number;
  readonly n: number;
  readonly interval: readonly [number, number];
}

/** The exact interval of Clopper and Pearson (Biometrika 26, 1934): never less than 95 % sure. */
export const proportion = (count: number, n: number): Proportion => {
  if (!(Number.isInteger(count) && Number.isInteger(n) && count >= 0 && count <= n && n > 0)) {
    throw new RangeError(`Expected a count of 0 to n and n of at least 1, got ${count} of ${n}`);
  }
  const low = count === 0 ? 0 : betaQuantile(0.025, count, n - count + 1);
  const high = count === n ? 1 : betaQuantile(0.975, count + 1, n - count);
  return { count, n, interval: [low, high] };
};

const betaQuantile = (probability: number, a: number, b: number): number => {
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (incompleteBeta(middle, a, b) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};

/** `3.5 % [1.4 %, 7.1 %]` */
export const proportionText = ({ count, n, interval }: Proportion): string => {
  const percent = (ratio: number): string => `${(100 * ratio).toFixed(1)} %`;
  return `${percent(count / n)} [${interval.map(percent).join(", ")}]`;
};
