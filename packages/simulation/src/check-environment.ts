import { type RandomStream, randomStream } from "@offloadlab/model";
import type { Environment } from "./environment.ts";

/** How `checkEnvironment` reads and uses an environment whose observations and actions it does not know. */
export interface EnvironmentUse<Observation, Action> {
  /** Every number of an observation, in a fixed order. */
  readonly observationNumbers: (observation: Observation) => number[];
  /** Every number of an action, in a fixed order. */
  readonly actionNumbers: (action: Action) => number[];
  /** Draws an action that is allowed now, from nothing but the observation and the stream. */
  readonly drawAction: (observation: Observation, random: RandomStream) => Action;
  /** Steps after which every episode has been truncated or has terminated. */
  readonly longestEpisode: number;
}

/** What the order of additions may change of a sum, as a part of what is added. */
const roundingOfSums = 1e-9;

/**
 * Checks that an environment keeps its contract, with random actions in a few episodes.
 *
 * - `reset` and `step` keep the current observation in `observation`, always the same object, every number finite.
 * - `step` leaves the action as it is. Its reward is the sum of `rewards`, one finite number for each agent.
 * - Every episode is truncated or terminates, and that is not taken back before the next reset. After truncation the world
 *   goes on; after termination nothing is paid any more.
 * - The same seed and actions give the same episode to the last bit, whatever came before, and other seeds give others.
 *
 * What a step before the first reset does is left open.
 *
 * @returns a sentence for each broken rule, none when the environment keeps them all
 */
export const checkEnvironment = <Observation, Action>(
  environment: Environment<Observation, Action>,
  use: EnvironmentUse<Observation, Action>,
): string[] => {
  const problems = new Problems();
  // One step more than the longest episode, for what happens after its end.
  const stepCount = use.longestEpisode + 1;
  const [first, ...others] = [1, 2, 3, 4].map((seed) => play(environment, use, problems, seed, stepCount)) as [
    Episode,
    ...Episode[],
  ];
  // The last reset comes in the middle of an episode.
  play(environment, use, problems, 5, Math.floor(use.longestEpisode / 3));
  const again = play(environment, use, problems, 1, stepCount);

  if (!problems.has("threw")) {
    const endless = [first, ...others].some(({ hasEnded }) => !hasEnded);
    if (endless) problems.add("end", `An episode had not ended after ${use.longestEpisode} steps.`);
    const difference = differenceOf(first, again);
    if (difference !== undefined) problems.add("same seed", `The same seed and actions gave another ${difference}.`);
    const areAlike = others.every((other) => differenceOf(first, other) === undefined);
    if (areAlike) problems.add("other seeds", "Other seeds gave the same episode.");
  }
  return problems.sentences;
};

/** The first sentence about each rule: what breaks one mostly breaks it in every step. */
class Problems {
  readonly #byRule = new Map<string, string>();

  add(rule: string, sentence: string): void {
    if (!this.has(rule)) this.#byRule.set(rule, sentence);
  }

  has(rule: string): boolean {
    return this.#byRule.has(rule);
  }

  get sentences(): string[] {
    return [...this.#byRule.values()];
  }
}

interface Episode {
  /** The numbers of the observation that each step led to, the reset's first, and what the step said. */
  readonly moments: readonly { readonly observation: readonly number[]; readonly said: readonly number[] }[];
  /** Before its last step. */
  readonly hasEnded: boolean;
}

/** Plays steps of an episode, with actions from the same stream whatever the seed, and notes what is wrong in them. */
const play = <Observation, Action>(
  environment: Environment<Observation, Action>,
  { observationNumbers, actionNumbers, drawAction }: EnvironmentUse<Observation, Action>,
  problems: Problems,
  seed: number,
  stepCount: number,
): Episode => {
  const random = randomStream(0, "actions");
  const moments: { observation: number[]; said: number[] }[] = [];
  let agentCount: number | undefined;
  let hasEnded = false;
  let wasTerminated = false;
  let wasTruncated = false;
  let at = `in the reset with seed ${seed}`;

  const rule = (name: string, holds: boolean, sentence: string): void => {
    if (!holds) problems.add(name, `${sentence}, ${at}.`);
  };
  const numbersNow = (): number[] => {
    const numbers = [...observationNumbers(environment.observation)];
    const odd = numbers.findIndex((value) => !Number.isFinite(value));
    rule("finite observation", odd < 0, `Number ${odd} of the observation was ${numbers[odd]}`);
    return numbers;
  };

  try {
    const observation = environment.reset(seed);
    rule("current", observation === environment.observation, "`reset` returned another object than `observation`");
    moments.push({ observation: numbersNow(), said: [] });

    for (let stepIndex = 0; stepIndex < stepCount; stepIndex++) {
      at = `in step ${stepIndex} with seed ${seed}`;
      hasEnded = wasTerminated || wasTruncated;
      const action = drawAction(environment.observation, random);
      const asked = [...actionNumbers(action)];
      const { reward, rewards, terminated, truncated } = environment.step(action);
      rule("action", areSame(actionNumbers(action), asked), "`step` changed the action");
      rule("object", environment.observation === observation, "`observation` became another object");

      agentCount ??= rewards.length;
      rule("agents", rewards.length === agentCount, `Of ${agentCount} agents, ${rewards.length} got a reward`);
      rule("finite rewards", rewards.every(Number.isFinite), `The rewards were ${rewards.join(", ")}`);
      const total = rewards.reduce((sum, own) => sum + own, 0);
      const size = rewards.reduce((sum, own) => sum + Math.abs(own), 0);
      const isSum = Math.abs(reward - total) <= roundingOfSums * size;
      rule("sum", isSum, `The reward was ${reward} where the agents' sum to ${total}`);
      rule("terminated", terminated || !wasTerminated, "`terminated` was taken back");
      rule("truncated", truncated || !wasTruncated, "`truncated` was taken back");
      rule("paid", !wasTerminated || size === 0, `A reward of ${reward} was paid after termination`);

      moments.push({ observation: numbersNow(), said: [reward, ...rewards, Number(terminated), Number(truncated)] });
      wasTerminated ||= terminated;
      wasTruncated ||= truncated;
    }
  } catch (cause) {
    rule("threw", false, `\`${cause}\` was thrown`);
  }
  return { moments, hasEnded };
};

/** Where two episodes differ first. */
const differenceOf = (one: Episode, other: Episode): string | undefined => {
  for (const [index, { observation, said }] of one.moments.entries()) {
    const moment = other.moments[index] as Episode["moments"][number];
    const where = index === 0 ? "in the reset" : `in step ${index - 1}`;
    if (!areSame(said, moment.said)) return `reward or end ${where}`;
    if (!areSame(observation, moment.observation)) return `observation ${where}`;
  }
  return undefined;
};

/** Equal to the last bit. */
const areSame = (one: readonly number[], other: readonly number[]): boolean =>
  one.length === other.length && one.every((value, index) => Object.is(value, other[index]));
