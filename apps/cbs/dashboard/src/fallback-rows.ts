import type { LiveAnswers } from "@offloadlab/protocol";

/** Sub-slots that Fair decided in the place of a policy from outside. */
export interface Fallbacks {
  readonly byFair: number;
  /** Sub-slots that the policy was asked to decide. */
  readonly asked: number;
  /** `late 3, unreachable 1`; empty when it decided all of them itself. */
  readonly reasons: string;
}

/** A policy from outside. */
export interface FallbackRow {
  readonly policy: string;
  /** [m] undefined of a community that has not ended a trial of it. */
  readonly communities: readonly (Fallbacks | undefined)[];
}

/** Policies from outside in the order of their first trials, each with its communities. */
export const fallbackRows = (answers: readonly LiveAnswers[], communities: readonly string[]): readonly FallbackRow[] =>
  [...new Set(answers.map(({ policy }) => policy))].map((policy) => ({
    policy,
    communities: communities.map((name) => {
      const own = answers.find((each) => each.policy === policy && each.community === name);
      return own === undefined ? undefined : fallbacksOf(own);
    }),
  }));

const fallbacksOf = ({ asked, fallbacks }: LiveAnswers): Fallbacks => {
  const counts = Object.entries(fallbacks).filter(([, times]) => times > 0);
  return {
    byFair: counts.reduce((sum, [, times]) => sum + times, 0),
    asked,
    reasons: counts.map(([reason, times]) => `${reason} ${times}`).join(", "),
  };
};
