import { onnxEngine, type Transition } from "@offloadlab/learning";
import { presets, randomStream, type Settings } from "@offloadlab/model";
import { type Deployment, deployedAgent, deploymentOf, Training, trainingSettings } from "@offloadlab/simulation";
import { afterEach, expect, it } from "vitest";
import { type LearnerPlace, LiveLearner } from "./learner.ts";
import { killLearner, learnerProcesses } from "./learner-processes.test-helper.ts";

/** A learner from source compiles what it runs. */
const patience = 180_000;
const onThread: LearnerPlace = { on: "thread", onDeath: () => expect.fail("a thread died") };

const world: Settings = presets.testbed;
const settings = trainingSettings("pfr-oa", { epochs: 4, networks: "set", hyperparameters: "recommended" });
const small = { ...settings, agent: { ...settings.agent, hidden: 8, batchSize: 4 } };
const deployment: Deployment = deploymentOf(new Training(world, small, onnxEngine, 3));

const open: LiveLearner[] = [];
const start = async (place: LearnerPlace = onThread): Promise<{ learner: LiveLearner; given: unknown[] }> => {
  const given: unknown[] = [];
  const data = { deployment, world, communityIndex: 1, engine: "onnx" as const };
  const learner = await LiveLearner.start(data, (weights) => given.push(weights), place);
  open.push(learner);
  return { learner, given };
};
afterEach(async () => {
  for (const learner of open.splice(0)) await learner.close();
});

const { agent: twin, translator } = deployedAgent(deployment, onnxEngine, world, 1);
const { rows, features, actions, values } = translator.shape;
const random = randomStream(1, "transitions");
const numbers = (length: number): Float32Array => Float32Array.from({ length }, () => random.uniform(-1, 1));
const transition = (): Transition => ({
  state: numbers(rows * features),
  action: numbers(rows * actions),
  reward: new Float32Array(rows * values).fill(-0.5),
  next: numbers(rows * features),
  terminated: false,
});
const copied = (each: Transition): Transition => structuredClone(each);

it(
  "learns on its thread what the same agent learns here, and gives weights after each update",
  async () => {
    const { learner, given } = await start();
    const lessons = Array.from({ length: 6 }, transition);
    twin.beginEpoch(9);
    learner.beginEpoch(9);
    for (const lesson of lessons) {
      twin.store(lesson);
      await twin.update();
      learner.learn(copied(lesson), 1);
      // Both draw from the same memory only if the update comes before the next transition.
      while (given.length < lessons.indexOf(lesson) + 1) await learner.report();
    }
    const { weights, updates, losses, meanAbsoluteReward } = await learner.report();
    expect(weights).toEqual(twin.weights);
    expect(given.at(-1)).toEqual(twin.weights);
    expect(updates).toBe(6);
    expect(Object.keys(losses).sort()).toEqual(["actor", "critic1", "critic2"]);
    expect(meanAbsoluteReward).toBeCloseTo(0.5, 6);
    expect(learner.takeSums().updates).toBe(6);
    expect(learner.takeSums()).toEqual({ updates: 0, losses: {}, deaths: 0 });
  },
  patience,
);

it(
  "reports again what was not accepted, and counts anew from what was",
  async () => {
    const { learner } = await start();
    learner.learn(transition(), 3);
    await untilUpdates(learner, 3);
    const first = await learner.report();
    expect((await learner.report()).updates).toBe(3);
    learner.learn(transition(), 2);
    await learner.adopt(first.weights, undefined, false);
    await untilUpdates(learner, 2);
    expect((await learner.report()).updates).toBe(2);
  },
  patience,
);

it(
  "goes on from adopted weights, and is drawn to the global ones",
  async () => {
    const { learner, given } = await start();
    const zero = Object.fromEntries(
      Object.entries((await learner.report()).weights).map(([name, { length }]) => [name, new Float32Array(length)]),
    );
    await learner.adopt(zero, { lambdas: { critic1: 1, critic2: 1, actor: 1 }, weights: zero }, false);
    expect(given.at(-1)).toEqual(zero);
    expect((await learner.report()).weights).toEqual(zero);
  },
  patience,
);

it(
  "a learner that has diverged begins anew from adopted weights, its targets and moments too",
  async () => {
    const { learner } = await start();
    learner.learn(transition(), 2);
    await untilUpdates(learner, 2);
    const { weights } = await learner.report();
    const { agent, since } = await learner.snapshot();
    const { arrays, counts } = agent;
    const spoilt = Object.entries(arrays).map(([name, values]) => [
      name,
      name === "buffer" ? values : new Float32Array(values.length).fill(Number.NaN),
    ]);
    const diverged = { agent: { arrays: Object.fromEntries(spoilt), counts }, since };
    // Told by the C-BS; noticed by itself.
    for (const startsAnew of [true, false]) {
      await learner.restore(diverged);
      await learner.adopt(weights, undefined, startsAnew);
      const { arrays: anew, counts: steps } = (await learner.snapshot()).agent;
      expect(anew["actorTarget"]).toEqual(weights["actor"]);
      expect(anew["criticsFirst"]?.every((moment) => moment === 0)).toBe(true);
      expect(steps).toMatchObject({ criticsSteps: 0, actorSteps: 0 });
      learner.learn(transition(), 2);
      // Those of the snapshot count as well.
      await untilUpdates(learner, since.updates + 2);
      for (const network of Object.values((await learner.report()).weights)) {
        expect(network.every(Number.isFinite)).toBe(true);
      }
    }
  },
  patience,
);

it(
  "remembers: a snapshot restored elsewhere goes on to the same weights",
  async () => {
    const [one, other] = [await start(), await start()];
    one.learner.learn(transition(), 2);
    await untilUpdates(one.learner, 2);
    await other.learner.restore(await one.learner.snapshot());
    // Also what it reports: the round to come has not had it.
    expect(await other.learner.report()).toEqual(await one.learner.report());
    for (const { learner } of [one, other]) learner.beginEpoch(3);
    const lesson = transition();
    for (const { learner } of [one, other]) learner.learn(copied(lesson), 1);
    await untilUpdates(other.learner, 3);
    await untilUpdates(one.learner, 3);
    expect((await other.learner.report()).weights).toEqual((await one.learner.report()).weights);
  },
  patience,
);

it(
  "a thread that has ended says so",
  async () => {
    const { learner } = await start();
    await learner.close();
    await expect(learner.report()).rejects.toThrow(/thread ended/);
  },
  patience,
);

it(
  "a process killed with SIGKILL is followed by one that goes on with what was learned and remembered",
  async () => {
    const deaths: string[] = [];
    const { learner, given } = await start({ on: "process", onDeath: (how) => deaths.push(how) });
    learner.beginEpoch(3);
    learner.learn(transition(), 2);
    await untilUpdates(learner, 2);
    const kept = await learner.snapshot();
    learner.learn(transition(), 2);
    await untilUpdates(learner, 4);
    const last = given.at(-1);
    killLearner();
    // Asked of a process that is not there any more, and answered by the next one.
    const { weights } = await learner.report();
    expect(weights).toEqual(last);
    expect(deaths).toEqual(["the learner's process ended with SIGKILL"]);
    // It remembers the transition that came after the snapshot as well, and learns on.
    const { counts } = (await learner.snapshot()).agent;
    expect(counts["pushed"]).toBe((kept.agent.counts["pushed"] ?? 0) + 1);
    learner.learn(transition(), 3);
    // Two are in the snapshot.
    await untilUpdates(learner, 5);
    expect(given.at(-1)).not.toEqual(last);
    expect(learner.takeSums()).toMatchObject({ updates: 7, deaths: 1 });
    expect(learner.takeSums().deaths).toBe(0);
    await learner.close();
    expect(learnerProcesses()).toEqual([]);
  },
  patience,
);

it(
  "a call that was open when its process was killed is answered by the next one",
  async () => {
    const deaths: string[] = [];
    const { learner } = await start({ on: "process", onDeath: (how) => deaths.push(how) });
    const { weights } = await learner.report();
    const adopted = Object.fromEntries(
      Object.entries(weights).map(([name, { length }]) => [name, new Float32Array(length).fill(0.5)]),
    );
    // One that is stopped answers nothing any more.
    killLearner("SIGSTOP");
    const adopting = learner.adopt(adopted, undefined, false);
    killLearner();
    await adopting;
    killLearner("SIGABRT");
    expect((await learner.report()).weights).toEqual(adopted);
    expect(deaths).toEqual(["SIGKILL", "SIGABRT"].map((signal) => `the learner's process ended with ${signal}`));
    expect(learner.takeSums().deaths).toBe(2);
  },
  patience,
);

it(
  "processes that die one after the other, and do nothing in between, are not followed for ever",
  async () => {
    let deaths = 0;
    const onDeath = (): void => {
      deaths += 1;
      // By then the next one has been started.
      setImmediate(() => killLearner());
    };
    const { learner } = await start({ on: "process", onDeath });
    // One that is stopped does not answer before it is killed.
    killLearner("SIGSTOP");
    const reported = learner.report();
    killLearner();
    await expect(reported).rejects.toMatchObject({
      code: "peer/unreachable",
      message: "the learner's process ended with SIGKILL, as the 3 before it",
    });
    expect(deaths).toBe(3);
    expect(learnerProcesses()).toEqual([]);
    await expect(learner.snapshot()).rejects.toThrow(/SIGKILL/);
  },
  patience,
);

const untilUpdates = async (learner: LiveLearner, updates: number): Promise<void> => {
  while ((await learner.report()).updates < updates);
};
