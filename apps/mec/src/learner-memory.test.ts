import type { Transition } from "@offloadlab/learning";
import { expect, it } from "vitest";
import { LearnerMemory } from "./learner-memory.ts";
import { type LearnerSnapshot, nothingSince } from "./learner-messages.ts";

const numbers = (value: number): Float32Array => Float32Array.of(value);
const transition = (reward: number): Transition => ({
  ...{ state: numbers(0), action: numbers(0), next: numbers(0), terminated: false },
  reward: numbers(reward),
});
const snapshot: LearnerSnapshot = {
  agent: { arrays: { buffer: numbers(1) }, counts: { pushed: 1 } },
  since: { ...nothingSince, updates: 2 },
};
const [first, second, third] = [transition(1), transition(2), transition(3)];
const weights = { actor: numbers(0.5) };
const proximal = { lambdas: { actor: 1 }, weights };

it("of a learner that was told nothing, the next one is told nothing", () => {
  expect(new LearnerMemory().requests()).toEqual([]);
});

it("tells the last snapshot, what came after it was asked for, and the last weights, in the order in which they apply", () => {
  const memory = new LearnerMemory();
  memory.beganEpoch(4);
  memory.given(first);
  const included = memory.size;
  // Given while the snapshot was made.
  memory.given(second);
  memory.saved(snapshot, included);
  memory.given(third);
  memory.adopted({ actor: numbers(0.1) }, proximal, false);
  memory.learned(weights);
  expect(memory.requests()).toMatchObject([
    // A round has had its sums.
    { kind: "restore", snapshot: { agent: snapshot.agent, since: nothingSince } },
    { kind: "begin-epoch", epoch: 4 },
    { kind: "learn", transition: second, updates: 0 },
    { kind: "learn", transition: third, updates: 0 },
    { kind: "adopt", weights, proximal, startsAnew: false },
  ]);
});

it("targets and moments of a snapshot from before a divergence are not gone on from", () => {
  const memory = new LearnerMemory();
  memory.saved(snapshot, 0);
  memory.adopted(weights, proximal, true);
  memory.learned({ actor: numbers(0.6) });
  expect(memory.requests().at(-1)).toMatchObject({ kind: "adopt", startsAnew: true });
  memory.saved(snapshot, 0);
  expect(memory.requests().at(-1)).toMatchObject({ kind: "adopt", startsAnew: false });
});

it("a snapshot that was restored holds everything from before it", () => {
  const memory = new LearnerMemory();
  memory.given(first);
  memory.learned(weights);
  memory.restored(snapshot);
  expect(memory.requests()).toMatchObject([{ kind: "restore", snapshot }]);
});

it("tells the pull of a round that was adopted before the snapshot", () => {
  const memory = new LearnerMemory();
  memory.restored(snapshot);
  memory.pulled(proximal);
  expect(memory.requests()).toMatchObject([
    { kind: "restore", snapshot },
    { kind: "pull", proximal },
  ]);
});
