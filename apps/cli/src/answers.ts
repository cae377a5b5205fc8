import type { AnswerCounts } from "@offloadlab/policies";

/** What became of the answers of a policy from outside in one community. */
interface ReportedAnswers extends AnswerCounts {
  readonly policy: string;
  readonly community: string;
}

export const reportedAnswers = (policy: string, community: string, answers: AnswerCounts): ReportedAnswers => ({
  policy,
  community,
  asked: answers.asked,
  adjusted: answers.adjusted,
  fallbacks: { ...answers.fallbacks },
  firstProblem: answers.firstProblem,
});

/** A line for each policy whose answers were not all taken as they were. */
export const answersText = (reported: readonly ReportedAnswers[]): string[] => {
  const policies = [...new Set(reported.map(({ policy }) => policy))];
  return policies.flatMap((policy) => {
    const own = reported.filter((each) => each.policy === policy);
    const sum = (of: (answers: AnswerCounts) => number): number => own.reduce((all, each) => all + of(each), 0);
    const asked = sum((each) => each.asked);
    const adjusted = sum((each) => each.adjusted);
    const reasons = Object.keys(own[0]?.fallbacks ?? {}) as (keyof AnswerCounts["fallbacks"])[];
    const fallbacks = reasons.map((reason) => [reason, sum((each) => each.fallbacks[reason])] as const);
    const byFair = fallbacks.reduce((all, [, count]) => all + count, 0);
    const lines: string[] = [];
    if (adjusted > 0) lines.push(`${policy}: ${adjusted} of ${asked} answers were brought within C4 and C5`);
    if (byFair > 0) {
      const counts = fallbacks.filter(([, count]) => count > 0).map(([reason, count]) => `${reason} ${count}`);
      const first = own.find(({ firstProblem }) => firstProblem !== undefined)?.firstProblem;
      lines.push(`${policy}: Fair decided ${byFair} of ${asked} sub-slots (${counts.join(", ")}; first: ${first})`);
    }
    return lines;
  });
};
