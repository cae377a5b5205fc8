import { deviceId, instantReward, type Outcome, outcomes, type Settings } from "@offloadlab/model";
import { policyNames } from "@offloadlab/policies";
import { methods } from "@offloadlab/simulation";
import { joules, seconds } from "@offloadlab/units";
import type { TaskFate } from "./reconcile.ts";
import type { Trial } from "./schedule.ts";
import { type Estimate, estimate } from "./statistics.ts";

/** One line of the comparison: a policy in a community, or in `all` of them; means over trials. */
export interface ResultRow {
  readonly policy: string;
  readonly community: string;
  /** Per task. */
  readonly reward: Estimate;
  readonly successRatio: Estimate;
  /** Per task, failed ones included. */
  readonly energyJoules: Estimate;
  /** Per task, failed ones included. */
  readonly waitingSeconds: Estimate;
}

/** Sums over the tasks of one trial and community. */
export interface TrialSums {
  readonly trial: number;
  readonly policy: string;
  readonly community: string;
  readonly tasks: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly reward: number;
  readonly energyJoules: number;
  readonly waitingSeconds: number;
}

/** Sums of every trial and community; a trial without tasks in a community has sums of 0. */
export const trialSums = (settings: Settings, trials: readonly Trial[], fates: readonly TaskFate[]): TrialSums[] => {
  const byTrial = grouped(fates, ({ trial }) => trial);
  return trials.flatMap(({ number, policy }) =>
    settings.communities.map((community, index) => {
      const members = new Set(Array.from({ length: community.deviceCount }, (_, j) => deviceId(index, j)));
      const counts = Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as Record<Outcome, number>;
      const sums = { reward: 0, energyJoules: 0, waitingSeconds: 0 };
      const tasks = (byTrial.get(number) ?? []).filter(({ device }) => members.has(device));
      for (const { ends } of tasks) {
        const [end] = ends;
        counts[end?.outcome ?? "lost"] += 1;
        // A lost task is a failed task of unknown energy: the penalty of Eq. (19), and 0 J.
        sums.reward +=
          end?.reward ?? instantReward(community.demand, "lost", seconds(0), joules(0), community.device.capacity);
        sums.energyJoules += end?.energyJoules ?? 0;
        sums.waitingSeconds += end?.waitingSeconds ?? 0;
      }
      return { trial: number, policy, community: community.name, tasks: tasks.length, outcomes: counts, ...sums };
    }),
  );
};

/** The comparison: per policy, first over all communities, then each; intervals over trials. */
export const resultRows = (sums: readonly TrialSums[]): ResultRow[] => {
  const policies = byFame([...new Set(sums.map(({ policy }) => policy))]);
  const communities = [...new Set(sums.map(({ community }) => community))];
  return policies.flatMap((policy) =>
    ["all", ...communities].map((community) => {
      const own = sums.filter((sum) => sum.policy === policy && (community === "all" || sum.community === community));
      const trials = [...grouped(own, ({ trial }) => trial).values()].filter((parts) => total(parts, "tasks") > 0);
      const perTask = (what: "reward" | "energyJoules" | "waitingSeconds"): Estimate =>
        estimate(trials.map((parts) => total(parts, what) / total(parts, "tasks")));
      const successes = (parts: readonly TrialSums[]): number =>
        parts.reduce((sum, part) => sum + part.outcomes["completed-local"] + part.outcomes["completed-edge"], 0);
      return {
        policy,
        community,
        reward: perTask("reward"),
        successRatio: estimate(trials.map((parts) => successes(parts) / total(parts, "tasks"))),
        energyJoules: perTask("energyJoules"),
        waitingSeconds: perTask("waitingSeconds"),
      };
    }),
  );
};

/** Policies that need no training first, in their usual order, then methods and all others by name. */
export const byFame = (policies: readonly string[]): string[] => {
  const known: readonly string[] = [...policyNames, ...methods];
  const rank = (policy: string): number => (known.includes(policy) ? known.indexOf(policy) : known.length);
  return [...policies].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
};

const total = (parts: readonly TrialSums[], what: "reward" | "energyJoules" | "waitingSeconds" | "tasks"): number =>
  parts.reduce((sum, part) => sum + part[what], 0);

const grouped = <T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> => {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
};
