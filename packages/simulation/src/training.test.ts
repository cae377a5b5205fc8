import { type Losses, onnxEngine } from "@offloadlab/learning";
import { paper, type Settings } from "@offloadlab/model";
import { count } from "@offloadlab/units";
import { afterEach, expect, it } from "vitest";
import { Training } from "./training.ts";
import { decodeTraining, encodeTraining } from "./training-file.ts";
import { type Method, methods, type TrainingSettings, trainingSettings } from "./training-settings.ts";

/** The paper's communities with few devices and short epochs. */
const small: Settings = {
  ...paper,
  timeSlotCount: count(3),
  communities: paper.communities.map((community) => ({ ...community, deviceCount: count(3) })),
};
const short = (method: Method): TrainingSettings => {
  const settings = trainingSettings(method, { epochs: 6, networks: "set", hyperparameters: "recommended" });
  const federation = settings.federation && { ...settings.federation, federateEvery: count(2) };
  return { ...settings, randomEpochs: 1, federation, agent: { ...settings.agent, hidden: 8, batchSize: 4 } };
};

const open: Training[] = [];
const begin = (settings: TrainingSettings, seed = 1): Training => {
  const training = new Training(small, settings, onnxEngine, seed);
  open.push(training);
  return training;
};
const run = async (training: Training, epochs: number): Promise<Training> => {
  while (training.epoch < epochs) await training.runEpoch();
  return training;
};
const bytesOf = (training: Training): Buffer => Buffer.from(encodeTraining(training.snapshot()));

afterEach(async () => {
  for (const training of open.splice(0)) await training.close();
});

it.each(methods)("%s: one seed gives one result, another seed another", async (method) => {
  const first = bytesOf(await run(begin(short(method)), 3));
  expect(bytesOf(await run(begin(short(method)), 3)).equals(first)).toBe(true);
  expect(bytesOf(await run(begin(short(method), 2), 3)).equals(first)).toBe(false);
});

it("goes on from a snapshot to the bytes of a training that was not stopped", async () => {
  const whole = bytesOf(await run(begin(short("pfr-oa")), 6));
  let snapshot = (await run(begin(short("pfr-oa")), 1)).snapshot();
  for (let epoch = 2; epoch <= 6; epoch++) {
    const resumed = begin(short("pfr-oa"));
    resumed.restore(decodeTraining(encodeTraining(snapshot)));
    snapshot = (await run(resumed, epoch)).snapshot();
  }
  expect(Buffer.from(encodeTraining(snapshot)).equals(whole)).toBe(true);
});

it("federates before an epoch, every f_p epochs, once agents have learned, and not after the last one", async () => {
  const { rounds } = await run(begin(short("pfr-oa")), 6);
  expect(rounds.map(({ round, epoch }) => [round, epoch])).toEqual([
    [1, 2],
    [2, 4],
  ]);
  for (const { participants } of rounds) expect(participants).toHaveLength(2);
});

it("MCF-TD3 is plain averaging: all communities leave a round with the same weights", async () => {
  const training = await run(begin(short("mcf-td3")), 2);
  training.federateWhenDue();
  const [first, ...others] = training.agents.map(({ weights }) => weights);
  for (const weights of others) expect(weights).toEqual(first);
});

it("federated agents begin as one, the others each for itself", () => {
  const beginnings = (method: Method) => begin(short(method)).agents.map(({ weights }) => weights["actor"]?.join());
  expect(new Set(beginnings("pfr-oa")).size).toBe(1);
  expect(new Set(beginnings("td3")).size).toBe(3);
});

it.each(["td3", "mcf-td3", "pfr-oa"] as const)(
  "%s: a community that joins has records from then on, takes part once it has learned, and resumes to the same bytes",
  async (method) => {
    const settings = { ...short(method), joins: { R3: 4 } };
    const training = await run(begin(settings), 6);
    const epochs = training.records.filter(({ community }) => community === "R3").map(({ epoch }) => epoch);
    expect(epochs).toEqual([3, 4, 5, 6]);
    const resumed = begin(settings);
    const before = (await run(begin(settings), 3)).snapshot();
    resumed.restore(decodeTraining(encodeTraining(before)));
    expect(bytesOf(await run(resumed, 6)).equals(bytesOf(training))).toBe(true);
    const rounds = method === "td3" ? [] : [false, false];
    expect(training.rounds.map(({ participants }) => participants.includes(2))).toEqual(rounds);
  },
);

it("a community that joins a federation begins with the global model, its targets too", async () => {
  const settings = { ...short("mcf-td3"), joins: { R3: 3 } };
  const training = await run(begin(settings), 3);
  const [first, , third] = training.snapshot().agents;
  // R3 has acted at random, and learned nothing, since the round that made all equal.
  expect(third?.arrays["actor"]).toEqual(training.agents[2]?.weights["actor"]);
  expect(third?.arrays["actorTarget"]).toEqual(third?.arrays["actor"]);
  expect(third?.arrays["actor"]).not.toEqual(first?.arrays["actor"]);
  const alone = await run(begin({ ...short("td3"), joins: { R3: 3 } }), 2);
  expect(third?.arrays["actor"]).not.toEqual(alone.agents[2]?.weights["actor"]);
});

it("a mean loss is over the updates of its network: the actor's is of every second update", async () => {
  const training = await run(begin(short("td3")), 1);
  const [agent] = training.agents;
  // Listens to what each update comes to.
  const losses: Losses[] = [];
  const update = agent?.update.bind(agent);
  Object.assign(agent ?? {}, {
    update: async () => {
      const made = (await update?.()) ?? {};
      losses.push(made);
      return made;
    },
  });
  await run(training, 2);
  const record = training.records.find(({ epoch, community }) => epoch === 2 && community === "R1");
  const ofActor = losses.flatMap(({ actor }) => actor ?? []);
  expect(ofActor).toHaveLength(losses.length / 2);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(record?.losses["actor"]).toBeCloseTo(mean(ofActor), 10);
  expect(record?.losses["critic1"]).toBeCloseTo(mean(losses.flatMap(({ critic1 }) => critic1 ?? [])), 10);
});

it("a community whose weights and moments are NaN starts from the global model, and learns again", async () => {
  const training = await run(begin(short("pfr-oa")), 3);
  const before = training.snapshot();
  const agents = before.agents.map(({ arrays, counts }, community) => {
    const spoilt = Object.entries(arrays).map(([name, values]) => [
      name,
      name === "buffer" ? values : new Float32Array(values.length).fill(Number.NaN),
    ]);
    return { counts, arrays: community === 1 ? Object.fromEntries(spoilt) : arrays };
  });
  training.restore({ ...before, agents });
  await run(training, 4);
  const areFinite = () =>
    training.snapshot().agents.map(({ arrays }) => Object.values(arrays).every((each) => each.every(Number.isFinite)));
  expect(areFinite()).toEqual([true, false, true]);
  training.federateWhenDue();
  expect(training.rounds.at(-1)).toMatchObject({ epoch: 4, participants: [0, 2] });
  const global = training.snapshot().globalWeights;
  expect(training.agents[1]?.weights).toEqual(global);
  const { arrays, counts } = training.snapshot().agents[1] ?? { arrays: {}, counts: {} };
  expect(arrays["actorTarget"]).toEqual(global?.["actor"]);
  expect([...(arrays["criticsFirst"] ?? [1]), ...(arrays["actorSecond"] ?? [1])].every((moment) => moment === 0)).toBe(
    true,
  );
  expect(counts).toMatchObject({ criticsSteps: 0, actorSteps: 0 });
  await training.runEpoch();
  expect(areFinite()).toEqual([true, true, true]);
  expect(training.agents[1]?.weights["actor"]).not.toEqual(global?.["actor"]);
});

it("communities of unequal numbers of devices are federated: all leave a round with one model, and learn on", async () => {
  const counts = [4, 3, 1];
  const communities = small.communities.map((each, i) => ({ ...each, deviceCount: count(counts[i] ?? 1) }));
  const training = new Training({ ...small, communities }, short("mcf-td3"), onnxEngine, 1);
  open.push(training);
  await run(training, 2);
  training.federateWhenDue();
  const [first, ...others] = training.agents.map(({ weights }) => weights);
  for (const weights of others) expect(weights).toEqual(first);
  await training.runEpoch();
  expect(new Set(training.agents.map(({ weights }) => weights["actor"]?.join())).size).toBe(3);
});

it("what cannot be averaged is refused before anything is trained", () => {
  const flat = { ...short("pfr-oa"), networks: "flat", agent: { ...short("pfr-oa").agent, pooled: false } } as const;
  const communities = small.communities.map((each, i) => ({ ...each, deviceCount: count(3 + i) }));
  expect(() => new Training({ ...small, communities }, flat, onnxEngine, 1)).toThrow(
    /flat ones of R1 and R2, which have different numbers of devices/,
  );
  const { federation } = short("pfr-oa");
  const crowd = { ...short("pfr-oa"), federation: federation && { ...federation, participantCount: count(4) } };
  expect(() => begin(crowd)).toThrow("`participantCount`: expected a value from 1 to 3, got 4");
});

it("a method's agents have the settings that it has, no others", () => {
  const keysOf = (method: Method): string[] => Object.keys(begin(short(method)).agents[0]?.settings ?? {});
  expect(keysOf("td3")).toContain("targetNoise");
  for (const key of ["updateActorEvery", "actorTurns", "targetNoise"]) expect(keysOf("ddpg")).not.toContain(key);
  expect(keysOf("dqn")).not.toContain("actionNoise");
});

it("`paper` has the numbers of §V-A, on one flat network with one value", () => {
  const paperSettings = (method: Method): TrainingSettings =>
    trainingSettings(method, { epochs: 150, networks: "flat", hyperparameters: "paper" });
  expect(paperSettings("pfr-oa")).toMatchObject({
    networks: "flat",
    values: "team",
    agent: { discount: 0.995, learningRate: 1e-4, targetShare: 0.1, batchSize: 256, pooled: false, hidden: 128 },
    federation: { globalShare: 0.3, federateEvery: 50, proximal: { start: 0, step: 0.1 } },
  });
  expect(paperSettings("mcf-td3").federation).toMatchObject({ participantCount: "all", globalShare: 1 });
  expect(paperSettings("td3").federation).toBeUndefined();
});

it("writes down how each community does, before the first update and after every epoch", async () => {
  const { records } = await run(begin(short("td3")), 2);
  expect(records.map(({ epoch, community }) => `${epoch} ${community}`)).toEqual(
    [0, 1, 2].flatMap((epoch) => ["R1", "R2", "R3"].map((name) => `${epoch} ${name}`)),
  );
  for (const record of records) expect(record.reward).toBeLessThan(0);
});

it("a round leaves targets and moments as they are, or begins them anew from the mixture", async () => {
  for (const targets of ["kept", "restarted"] as const) {
    const settings = short("pfr-oa");
    const federation = settings.federation && { ...settings.federation, targets };
    const training = await run(begin({ ...settings, federation }), 2);
    training.federateWhenDue();
    expect(training.rounds).toHaveLength(1);
    for (const { arrays, counts } of training.agents.map((agent) => agent.snapshot())) {
      const isAnew = String(arrays["criticsTarget"]) === String(arrays["critics"]);
      expect([targets, isAnew, counts["criticsSteps"] === 0]).toEqual([
        targets,
        targets === "restarted",
        targets === "restarted",
      ]);
    }
  }
});

it("a round draws agents to the global model with its λ, also after they were restored", async () => {
  const settings = short("pfr-oa");
  const drawnBy = (start: number): TrainingSettings => {
    const { federation } = settings;
    return { ...settings, federation: federation && { ...federation, proximal: { ...federation.proximal, start } } };
  };
  const training = await run(begin(drawnBy(0.5)), 2);
  training.federateWhenDue();
  const restored = begin(drawnBy(0.5));
  restored.restore(decodeTraining(encodeTraining(training.snapshot())));
  const [round] = training.rounds;
  const { globalWeights } = training.snapshot();
  expect(globalWeights).toBeDefined();
  for (const { agents } of [training, restored]) {
    for (const [community, { proximal }] of agents.entries()) {
      expect(proximal?.lambdas).toEqual(round?.proximalWeights[community]);
      expect(Object.values(proximal?.lambdas ?? {})).not.toContain(0);
      expect(proximal?.weights).toEqual(globalWeights);
    }
  }
  // And it makes a difference to what is learned.
  const free = await run(begin(drawnBy(0)), 3);
  await run(training, 3);
  expect(training.agents[0]?.weights["actor"]).not.toEqual(free.agents[0]?.weights["actor"]);
});
