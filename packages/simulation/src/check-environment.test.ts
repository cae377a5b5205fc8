import { presets, randomStream, type Settings } from "@offloadlab/model";
import { describe, expect, it } from "vitest";
import { checkEnvironment, type EnvironmentUse } from "./check-environment.ts";
import { Community } from "./community.ts";
import type { Environment, Step } from "./environment.ts";
import { actionNumbers, decodedAction, observationNumbers, placedAction } from "./random-actions.test-helper.ts";

const everyReading = Object.values(presets).flatMap((preset) =>
  (["kept", "reused"] as const).flatMap((shares) =>
    (["decision", "completion"] as const).map((reward): Settings => {
      const name = `${preset.name}, shares ${shares}, reward at ${reward}`;
      return { ...preset, name, readings: { ...preset.readings, shares, reward } };
    }),
  ),
);

describe.each(everyReading)("a community in $name", (settings) => {
  it.each([decodedAction, placedAction])("keeps the contract with %o", (drawAction) => {
    const use = { observationNumbers, actionNumbers, drawAction, longestEpisode: 90 };
    expect(checkEnvironment(new Community(settings, 0, 1), use)).toEqual([]);
  });
});

/** Two agents that pay 1 for each step and watch random numbers: truncated after 10 steps, terminated after 13. */
class Watching implements Environment<{ numbers: number[] }, number[]> {
  observation = { numbers: [0, 0] };
  #random = randomStream(0);
  protected stepCount = 0;

  reset(seed: number): { numbers: number[] } {
    this.#random = randomStream(seed);
    this.stepCount = 0;
    this.observation.numbers = [this.#random.uniform(), this.#random.uniform()];
    return this.observation;
  }

  step(_action: number[]): Step {
    this.stepCount++;
    const own = this.stepCount > 13 ? 0 : -1;
    this.observation.numbers = [this.#random.uniform(), this.#random.uniform()];
    const rewards = Float64Array.of(own, own);
    return { reward: 2 * own, rewards, truncated: this.stepCount >= 10, terminated: this.stepCount >= 13 };
  }
}

const use: EnvironmentUse<{ numbers: number[] }, number[]> = {
  observationNumbers: ({ numbers }) => numbers,
  actionNumbers: (action) => action,
  drawAction: (_observation, random) => [random.uniform(), random.uniform()],
  longestEpisode: 14,
};

const changed = (change: (step: Step, stepCount: number) => Partial<Step>) =>
  new (class extends Watching {
    override step(action: number[]): Step {
      const step = super.step(action);
      return { ...step, ...change(step, this.stepCount) };
    }
  })();

it("finds nothing wrong with an environment that keeps the contract", () => {
  expect(checkEnvironment(new Watching(), use)).toEqual([]);
});

it("accepts an environment that is truncated and never terminates", () => {
  expect(
    checkEnvironment(
      changed(() => ({ terminated: false })),
      { ...use, longestEpisode: 10 },
    ),
  ).toEqual([]);
});

it("accepts an environment that terminates and is never truncated", () => {
  expect(
    checkEnvironment(
      changed(() => ({ truncated: false })),
      use,
    ),
  ).toEqual([]);
});

const broken: Record<string, [environment: Watching, problems: string[]]> = {
  "returns a copy from reset": [
    new (class extends Watching {
      override reset(seed: number) {
        return { ...super.reset(seed) };
      }
    })(),
    [
      "`reset` returned another object than `observation`, in the reset with seed 1.",
      "`observation` became another object, in step 0 with seed 1.",
    ],
  ],
  "makes a new observation in each step": [
    new (class extends Watching {
      override step(action: number[]) {
        this.observation = { ...this.observation };
        return super.step(action);
      }
    })(),
    ["`observation` became another object, in step 0 with seed 1."],
  ],
  "observes what is not a number": [
    new (class extends Watching {
      override step(action: number[]) {
        const step = super.step(action);
        if (this.stepCount === 3) this.observation.numbers[1] = Number.NaN;
        return step;
      }
    })(),
    ["Number 1 of the observation was NaN, in step 2 with seed 1."],
  ],
  "pays what is not a number": [
    changed((_step, stepCount) =>
      stepCount === 1 ? { rewards: Float64Array.of(-1, Number.NaN), reward: Number.NaN } : {},
    ),
    [
      "The rewards were -1, NaN, in step 0 with seed 1.",
      "The reward was NaN where the agents' sum to NaN, in step 0 with seed 1.",
    ],
  ],
  "clips the action in place": [
    new (class extends Watching {
      override step(action: number[]) {
        action[0] = Math.min(action[0] as number, -1);
        return super.step(action);
      }
    })(),
    ["`step` changed the action, in step 0 with seed 1."],
  ],
  "leaves an agent out": [
    changed(({ rewards }, stepCount) =>
      stepCount === 2 ? { rewards: rewards.slice(1), reward: rewards[1] ?? 0 } : {},
    ),
    ["Of 2 agents, 1 got a reward, in step 1 with seed 1."],
  ],
  "pays a mean": [
    changed(({ reward }) => ({ reward: reward / 2 })),
    ["The reward was -1 where the agents' sum to -2, in step 0 with seed 1."],
  ],
  "terminates for one step": [
    changed((_step, stepCount) => ({ terminated: stepCount === 13 })),
    ["`terminated` was taken back, in step 13 with seed 1."],
  ],
  "is truncated for one step": [
    changed((_step, stepCount) => ({ truncated: stepCount === 10 })),
    ["`truncated` was taken back, in step 10 with seed 1."],
  ],
  "terminates where it is truncated": [
    changed(({ truncated }) => ({ terminated: truncated })),
    ["A reward of -2 was paid after termination, in step 10 with seed 1."],
  ],
  "never ends": [
    changed(() => ({ terminated: false, truncated: false })),
    ["An episode had not ended after 14 steps."],
  ],
  "ends too late": [
    changed((_step, stepCount) => ({ truncated: stepCount >= 15, terminated: false })),
    ["An episode had not ended after 14 steps."],
  ],
  "goes on with its random numbers": [
    new (class extends Watching {
      #episode = 0;
      override reset() {
        return super.reset(this.#episode++);
      }
    })(),
    ["The same seed and actions gave another observation in the reset."],
  ],
  "remembers the episode before": [
    new (class extends Watching {
      #left = 0;
      override reset(seed: number) {
        this.#left = this.stepCount;
        return super.reset(seed);
      }
      override step(action: number[]) {
        const step = super.step(action);
        return this.stepCount === 3 && this.#left === 4 ? { ...step, truncated: true } : step;
      }
    })(),
    [
      "`truncated` was taken back, in step 3 with seed 1.",
      "The same seed and actions gave another reward or end in step 2.",
    ],
  ],
  "knows one seed": [
    new (class extends Watching {
      override reset() {
        return super.reset(1);
      }
    })(),
    ["Other seeds gave the same episode."],
  ],
  throws: [
    new (class extends Watching {
      override step(action: number[]) {
        if (this.stepCount === 12) throw new RangeError("Expected fewer steps");
        return super.step(action);
      }
    })(),
    ["`RangeError: Expected fewer steps` was thrown, in step 12 with seed 1."],
  ],
};

it.each(Object.entries(broken))("finds an environment that %s", (_name, [environment, problems]) => {
  expect(checkEnvironment(environment, use)).toEqual(problems);
});
