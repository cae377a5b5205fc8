import type { Journals } from "./reconcile.ts";

/** How often the process of a learner ended by itself in a run's trials, and another one went on. */
export interface LearnerDeaths {
  readonly policy: string;
  /** The server that it learned on. */
  readonly node: string;
  readonly deaths: number;
}

/** Of the learners whose processes did end. */
export const learnerDeaths = (journals: Journals): LearnerDeaths[] =>
  [...journals].flatMap(([node, records]) => {
    const deaths = new Map<string, number>();
    for (const record of records) {
      if (record.kind !== "learning" || record.deaths === undefined) continue;
      deaths.set(record.policy, (deaths.get(record.policy) ?? 0) + record.deaths);
    }
    return [...deaths].map(([policy, count]) => ({ policy, node, deaths: count }));
  });

/** One line for each learner. */
export const learnerDeathsText = (all: readonly LearnerDeaths[]): string[] =>
  all.map(({ policy, node, deaths }) => {
    const ended = deaths === 1 ? "once, and another one" : `${deaths} times, and others`;
    return `${policy} on ${node}: its learner's process ended by itself ${ended} went on with what it had learned`;
  });
