import type { JournalRecord, TrialRecord } from "./journal-records.ts";
import type { Journals } from "./reconcile.ts";
import { type Trial, warmUpTrial } from "./schedule.ts";

/** One time that a trial was begun; each has a number of its own. */
export interface Attempt {
  /** By which its records are known. */
  readonly number: number;
  /** The trial of the schedule, or the warm-up, that it is an attempt at. */
  readonly scheduled: number;
  readonly hasEnded: boolean;
  /** Why it was abandoned; null when it was not. */
  readonly abandoned: string | null;
}

/** A trial that was cut short, for the table. */
export interface AbandonedTrial {
  readonly trial: number;
  readonly policy: string;
  readonly reason: string;
  /** The trial that came to its end in its place. */
  readonly repeatedAs: number | null;
}

/** Abandoned trials for each one of the schedule, above which nobody knows what the failures have chosen. */
const mostAbandoned = 1 / 5;

/** The attempts of a run in the order in which they were begun, warm-ups among them. @param records of the C-BS */
export const attemptsOf = (records: readonly JournalRecord[]): Attempt[] => {
  const attempts = new Map<number, Attempt>();
  for (const record of records) {
    if (record.kind !== "trial" && record.kind !== "trial-end" && record.kind !== "abandoned") continue;
    const number = record.trial;
    const known = attempts.get(number) ?? { number, scheduled: number, hasEnded: false, abandoned: null };
    if (record.kind === "trial") attempts.set(number, { ...known, scheduled: record.repeats ?? number });
    else if (record.kind === "trial-end") attempts.set(number, { ...known, hasEnded: true });
    else attempts.set(number, { ...known, abandoned: record.reason });
  }
  return [...attempts.values()];
};

/** The trials that came to their end, in the order of the schedule, by the numbers of the attempts that did. */
export const endedTrials = (scheduled: readonly Trial[], attempts: readonly Attempt[]): Trial[] =>
  scheduled.flatMap((trial) =>
    attempts
      .filter((attempt) => attempt.scheduled === trial.number && attempt.hasEnded)
      .map(({ number }) => ({ ...trial, number })),
  );

/** What was abandoned of a schedule, in the order of time. */
export const abandonedTrials = (scheduled: readonly Trial[], attempts: readonly Attempt[]): AbandonedTrial[] =>
  attempts.flatMap((attempt) => {
    const trial = scheduled.find(({ number }) => number === attempt.scheduled);
    if (trial === undefined || attempt.abandoned === null) return [];
    const ended = attempts.find((each) => each.scheduled === attempt.scheduled && each.hasEnded);
    const { number, abandoned: reason } = attempt;
    return [{ trial: number, policy: trial.policy, reason, repeatedAs: ended?.number ?? null }];
  });

/** Why a run is invalid that abandoned so many of its trials; null when there are not too many. */
export const tooManyAbandoned = (scheduled: readonly Trial[], abandoned: readonly AbandonedTrial[]): string | null =>
  abandoned.length <= mostAbandoned * scheduled.length
    ? null
    : `${abandoned.length} of ${scheduled.length} trials cut short, more than one in five: failures may have chosen which count`;

/** A line for each abandoned trial, below the table; none when there are none. */
export const abandonedText = (abandoned: readonly AbandonedTrial[]): string[] =>
  abandoned.map(({ trial, policy, reason, repeatedAs }) => {
    const repeated = repeatedAs === null ? "not repeated" : `repeated as trial ${repeatedAs}`;
    return `abandoned, ${repeated}: trial ${trial} (${policy}): ${reason}`;
  });

/** The journals without what counts for nothing: warm-ups, and trials that were abandoned. */
export const countedJournals = (journals: Journals): Journals => {
  const attempts = attemptsOf(journals.get("cbs") ?? []);
  const uncounted = new Set([
    warmUpTrial,
    ...attempts.filter((a) => a.scheduled === warmUpTrial || a.abandoned !== null).map(({ number }) => number),
  ]);
  const counts = (record: JournalRecord): boolean => !("trial" in record) || !uncounted.has(record.trial);
  return new Map([...journals].map(([node, records]) => [node, records.filter(counts)]));
};

/**
 * Whether every trial of the schedule counts once, and every attempt is accounted for.
 *
 * @param complete whether the run claims to be complete, so that nothing may be left to repeat
 * @returns what is wrong, one sentence each
 */
export const attemptProblems = (
  scheduled: readonly Trial[],
  records: readonly JournalRecord[],
  complete: boolean,
): string[] => {
  const attempts = attemptsOf(records);
  const begun = records.filter((record): record is TrialRecord & JournalRecord => record.kind === "trial");
  const twice = begun.filter(({ trial }, index) => begun.findIndex((each) => each.trial === trial) < index);
  return [
    ...twice.map(({ trial }) => `trial ${trial} was begun twice under one number`),
    ...begun.flatMap(({ trial, policy, seed, repeats }) => {
      const planned = scheduled.find(({ number }) => number === (repeats ?? trial));
      if (planned === undefined) return (repeats ?? trial) === warmUpTrial ? [] : [`trial ${trial} is not scheduled`];
      return planned.policy === policy && planned.seed === seed
        ? []
        : [`trial ${trial} has another policy or other arrivals than trial ${planned.number} of the schedule`];
    }),
    ...attempts.flatMap(({ number, scheduled: planned, hasEnded, abandoned }, index) => {
      const others = attempts.slice(index + 1).filter((each) => each.scheduled === planned);
      if (hasEnded && abandoned !== null) return [`trial ${number} came to its end and was abandoned`];
      if (hasEnded && planned !== warmUpTrial && others.length > 0)
        return [`trial ${number} came to its end and was repeated all the same`];
      if (abandoned?.trim() === "") return [`trial ${number} was abandoned without a reason`];
      if (!hasEnded && abandoned === null && (complete || others.length > 0))
        return [`trial ${number} has neither come to its end nor been abandoned`];
      return complete && abandoned !== null && planned !== warmUpTrial && others.length === 0
        ? [`trial ${number} was abandoned and never repeated`]
        : [];
    }),
  ];
};
