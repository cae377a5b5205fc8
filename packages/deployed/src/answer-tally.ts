import { type AnswerCounts, type FallbackReason, fallbackReasons } from "@offloadlab/policies";

/** Counts what becomes of a policy's answers. */
export class AnswerTally implements AnswerCounts {
  asked = 0;
  adjusted = 0;
  readonly fallbacks: Record<FallbackReason, number> = noFallbacks();
  firstProblem: string | undefined;

  fellBack(reason: FallbackReason, problem: string): void {
    this.fallbacks[reason]++;
    this.firstProblem ??= problem;
  }
}

const noFallbacks = (): Record<FallbackReason, number> =>
  Object.fromEntries(fallbackReasons.map((reason) => [reason, 0])) as Record<FallbackReason, number>;
