import { type Settings, serverId } from "@offloadlab/model";
import { type AnswerCounts, fallbackReasons } from "@offloadlab/policies";
import type { ActionRecord } from "./journal-records.ts";
import type { Journals } from "./reconcile.ts";
import type { Trial } from "./schedule.ts";
import type { EpochSums } from "./sweep-rows.ts";

/** What became of the answers of a policy from outside, in one community. */
export interface AnswerRow extends AnswerCounts {
  readonly policy: string;
  readonly community: string;
}

/** A copy of what is counted so far. */
export const answersSoFar = ({ asked, adjusted, fallbacks, firstProblem }: AnswerCounts): AnswerCounts => ({
  asked,
  adjusted,
  fallbacks: { ...fallbacks },
  firstProblem,
});

/** What was counted between two states of one policy. */
export const answersBetween = (before: AnswerCounts, after: AnswerCounts): AnswerCounts => ({
  asked: after.asked - before.asked,
  adjusted: after.adjusted - before.adjusted,
  fallbacks: fallbacksOf((reason) => after.fallbacks[reason] - before.fallbacks[reason]),
  firstProblem: before.firstProblem === undefined ? after.firstProblem : undefined,
});

/** What became of the answers between two states, one answer's as a rule, as an action of the journal says it. */
export const answerNote = (before: AnswerCounts, after: AnswerCounts): Pick<ActionRecord, "adjusted" | "fallback"> => {
  const { adjusted, fallbacks } = answersBetween(before, after);
  const fallback = fallbackReasons.find((reason) => fallbacks[reason] > 0);
  return { ...(adjusted > 0 ? { adjusted: true } : {}), ...(fallback === undefined ? {} : { fallback }) };
};

/** What became of the answers in the laboratory's trials. */
export const laboratoryAnswers = (
  { communities }: Settings,
  trials: readonly Trial[],
  journals: Journals,
): AnswerRow[] => {
  const counted = new Set(trials.map(({ number }) => number));
  return answerRows(
    communities.flatMap(({ name: community }, index) =>
      (journals.get(serverId(index)) ?? []).flatMap((record) => {
        if (record.kind !== "answers" || !counted.has(record.trial)) return [];
        const { policy, asked, adjusted, fallbacks, firstProblem } = record;
        return [{ policy, community, answers: { asked, adjusted, fallbacks, firstProblem } }];
      }),
    ),
  );
};

/** Sums of each policy from outside and community. */
export const answerRows = (sums: readonly Pick<EpochSums, "policy" | "community" | "answers">[]): AnswerRow[] => {
  const rows = new Map<string, AnswerRow>();
  for (const { policy, community, answers } of sums) {
    if (answers === undefined) continue;
    const key = JSON.stringify([policy, community]);
    const row = rows.get(key);
    rows.set(key, { policy, community, ...(row === undefined ? answersSoFar(answers) : together(row, answers)) });
  }
  return [...rows.values()];
};

const together = (a: AnswerCounts, b: AnswerCounts): AnswerCounts => ({
  asked: a.asked + b.asked,
  adjusted: a.adjusted + b.adjusted,
  fallbacks: fallbacksOf((reason) => a.fallbacks[reason] + b.fallbacks[reason]),
  firstProblem: a.firstProblem ?? b.firstProblem,
});

const fallbacksOf = (of: (reason: (typeof fallbackReasons)[number]) => number): AnswerCounts["fallbacks"] =>
  Object.fromEntries(fallbackReasons.map((reason) => [reason, of(reason)])) as AnswerCounts["fallbacks"];

/** A line for each policy whose answers were not all taken as they were. */
export const answersText = (rows: readonly AnswerRow[]): string[] =>
  [...new Set(rows.map(({ policy }) => policy))].flatMap((policy) => {
    const { asked, adjusted, fallbacks, firstProblem } = rows
      .filter((row) => row.policy === policy)
      .reduce<AnswerCounts>(together, {
        asked: 0,
        adjusted: 0,
        fallbacks: fallbacksOf(() => 0),
        firstProblem: undefined,
      });
    const counts = fallbackReasons.filter((reason) => fallbacks[reason] > 0);
    const byFair = counts.reduce((sum, reason) => sum + fallbacks[reason], 0);
    const reasons = counts.map((reason) => `${reason} ${fallbacks[reason]}`).join(", ");
    return [
      ...(adjusted > 0 ? [`${policy}: ${adjusted} of ${asked} answers were brought within C4 and C5`] : []),
      ...(byFair > 0
        ? [`${policy}: Fair decided ${byFair} of ${asked} sub-slots (${reasons}; first: ${firstProblem})`]
        : []),
    ];
  });
