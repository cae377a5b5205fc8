import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Actor,
  type Agent,
  actorModel,
  Dqn,
  decodeRows,
  dqnDefaults,
  encodeModel,
  featureCount,
  type Graph,
  onnxEngine,
  Td3,
  td3Defaults,
  writeFeatures,
} from "@offloadlab/learning";
import { communityAt, type Settings, sharesFit } from "@offloadlab/model";
import { fair } from "@offloadlab/policies";
import { count } from "@offloadlab/units";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPolicy } from "./open-policy.ts";
import { policyFiles } from "./policy-file.ts";
import { deviceCount, devices, newAction, observationOf, world } from "./world.test-helper.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-deployed-"));
});
afterAll(() => rm(folder, { recursive: true }));

const community = communityAt(world, 0);
const observation = world.readings.observation;
const agentOf = (method: "td3" | "dqn", networks: "set" | "flat"): Agent => {
  const features = featureCount({ observation, networks }, deviceCount);
  const shape =
    networks === "set"
      ? { rows: deviceCount, features, actions: 3, values: 1 }
      : { rows: 1, features, actions: 3 * deviceCount, values: 1 };
  const pooled = networks === "set";
  return method === "td3"
    ? new Td3(onnxEngine, shape, { ...td3Defaults, pooled }, 3)
    : new Dqn(onnxEngine, shape, { ...dqnDefaults, pooled }, 3);
};

let models = 0;
/** Writes a model and its card into a folder of their own, with changes. */
const written = async (
  actor: Actor,
  networks: "set" | "flat",
  changes: { model?: (model: Uint8Array) => Uint8Array; card?: (card: string) => string; settings?: Settings } = {},
): Promise<string> => {
  const { model = (same) => same, card = (same) => same, settings = world } = changes;
  const files = policyFiles(actor, networks, settings, 0, { method: "td3" });
  const file = join(folder, `${models++}.onnx`);
  await writeFile(file, model(files.model));
  await writeFile(file.replace(".onnx", ".card.json"), card(files.card));
  return file;
};

/** A card with the digest of the model that lies beside it. */
const cardOfGraph = async (actor: Actor, networks: "set" | "flat", graph: Graph): Promise<string> => {
  const bytes = encodeModel(graph);
  const { createHash } = await import("node:crypto");
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return written(actor, networks, {
    model: () => bytes,
    card: (card) => card.replace(/"sha256": "\w+"/, `"sha256": "${sha256}"`),
  });
};

describe.each(
  (["td3", "dqn"] as const).flatMap((method) => (["set", "flat"] as const).map((networks) => ({ method, networks }))),
)("a policy of $method with $networks networks", ({ method, networks }) => {
  it("decides what its agent decides, at once", async () => {
    const agent = agentOf(method, networks);
    const { rows, features, actions } = agent.shape;
    const policy = await openPolicy(await written(agent.actor, networks), world, 0, devices);
    const [state, raw] = [new Float32Array(rows * features), new Float32Array(rows * actions)];
    for (let number = 0; number < 40; number++) {
      const seen = observationOf(number);
      const [decided, expected] = [newAction(), newAction()];
      expect(policy.decide(seen, decided)).toBeUndefined();
      writeFeatures({ observation, networks }, seen, community, world.deadline, state);
      agent.act(state, raw);
      decodeRows(networks, raw, new Float32Array(3 * deviceCount), seen, expected);
      expect(decided).toEqual(expected);
    }
    expect(policy.answers).toMatchObject({ asked: 40, adjusted: 0, firstProblem: undefined });
    await policy.close();
  });

  it("decides the same when another program has written it, and ONNX Runtime runs it", async () => {
    const agent = agentOf(method, networks);
    const graph = actorModel(agent.actor, networks);
    const own = await openPolicy(await written(agent.actor, networks), world, 0, devices);
    const file = await cardOfGraph(agent.actor, networks, { ...graph, name: "somebody-elses" });
    const foreign = await openPolicy(file, world, 0, devices);
    for (let number = 0; number < 40; number++) {
      const seen = observationOf(number);
      const [a, b] = [newAction(), newAction()];
      await own.decide(seen, a);
      const pending = foreign.decide(seen, b);
      expect(pending).toBeInstanceOf(Promise);
      await pending;
      expect(b.placement).toEqual(a.placement);
      b.bandwidthShare.forEach((share, j) => {
        expect(share).toBeCloseTo(a.bandwidthShare[j] as number, 6);
      });
    }
    await Promise.all([own.close(), foreign.close()]);
  });
});

it("a set decides for as many devices as there are, a flat network for its own number only", async () => {
  const few: Settings = {
    ...world,
    communities: world.communities.map((each) => ({ ...each, deviceCount: count(2) })),
  };
  const set = await openPolicy(await written(agentOf("td3", "set").actor, "set"), few, 0, devices.slice(0, 2));
  const action = newAction(2);
  await set.decide(observationOf(1, 2), action);
  expect(set.answers.asked).toBe(1);
  const flat = await written(agentOf("td3", "flat").actor, "flat");
  await expect(openPolicy(flat, few, 0, devices.slice(0, 2))).rejects.toThrow(
    `${flat} decides for 3 devices, R1 has 2: train with 2, or a set network`,
  );
});

describe("what cannot be used is refused with what is wrong", () => {
  const { actor } = agentOf("td3", "set");
  const refused = async (file: string): Promise<string> =>
    openPolicy(file, world, 0, devices).then(
      () => "was opened",
      (error: Error) => `${error.name}: ${error.message}`,
    );

  it("no file, and no card", async () => {
    const missing = join(folder, "missing.onnx");
    expect(await refused(missing)).toContain(`PolicyProblem: ${missing}: cannot be read: ENOENT`);
    const file = await written(actor, "set");
    await rm(file.replace(".onnx", ".card.json"));
    expect(await refused(file)).toMatch(/PolicyProblem: .*card\.json: a model needs its card beside it: ENOENT/);
  });

  it("a model that is not the card's", async () => {
    const file = await written(actor, "set", {
      model: (bytes) => bytes.map((byte, i) => (i === 2000 ? byte ^ 1 : byte)),
    });
    expect(await refused(file)).toMatch(/its card is of another model \(expected sha256 \w{64}, got \w{64}\)/);
  });

  it("a file that is no ONNX model", async () => {
    const text = new TextEncoder().encode("not a model");
    const { createHash } = await import("node:crypto");
    const sha256 = createHash("sha256").update(text).digest("hex");
    const file = await written(actor, "set", {
      model: () => text,
      card: (card) => card.replace(/"sha256": "\w+"/, `"sha256": "${sha256}"`),
    });
    expect(await refused(file)).toContain(`${file} is no ONNX model: Expected`);
  });

  it("weights that are no numbers", async () => {
    const weights = actor.weights.slice();
    weights[5] = Number.NaN;
    const file = await written({ ...actor, weights }, "set");
    expect(await refused(file)).toContain("expected finite weights, got NaN in `firstWeights`");
  });

  it("a model with another input than the card says", async () => {
    const fewer = await written(actor, "set", {
      card: (text) => {
        const card = JSON.parse(text) as { observation: { device_columns: unknown[] } };
        card.observation.device_columns.pop();
        return JSON.stringify(card);
      },
    });
    expect(await refused(fewer)).toContain(
      "expected an input of [3, 17] as its card has it for 3 devices, got [devices, 18]",
    );
    const renamed = await written(actor, "set", { card: (text) => text.replace('"features"', '"state"') });
    expect(await refused(renamed)).toContain("expected one input of float32, `state`, got features");
    const output = await written(actor, "set", { card: (text) => text.replace('"output": "action"', '"output": "y"') });
    expect(await refused(output)).toContain("expected an output `y`, got action");
  });

  it("a card that is none", async () => {
    const cases: Record<string, [(card: string) => string, string]> = {
      "no JSON": [(card) => card.slice(1), "expected a policy's card in JSON"],
      "an unknown column": [
        (card) => card.replace("work_cycles", "work_hours"),
        "must be one of data_size_bits, work_",
      ],
      "a divisor of 0": [(card) => card.replace(/"divisor": 1}/, '"divisor": 0}'), "must be > 0"],
      "an unknown key": [(card) => card.replace('"format": 1', '"format": 1, "fromat": 2'), "fromat"],
      "another format": [(card) => card.replace('"format": 1', '"format": 2'), "`format` must be"],
      "flat for any n": [
        (card) => card.replace('"networks": "set"', '"networks": "flat"'),
        "device_count` must be a number",
      ],
    };
    for (const [what, [change, message]] of Object.entries(cases)) {
      expect(await refused(await written(actor, "set", { card: change })), what).toContain(message);
    }
  });
});

describe("a foreign model that answers what it likes", () => {
  const { actor } = agentOf("td3", "set");
  const graph = actorModel(actor, "set");
  /** The model with its last operator replaced by others. */
  const ending = (nodes: Graph["nodes"], constants: Graph["constants"]): Graph => ({
    ...graph,
    nodes: [...graph.nodes.filter(({ operator }) => operator !== "Tanh"), ...nodes],
    constants: [...graph.constants, ...constants],
  });
  const scalar = (name: string, value: number): Graph["constants"][number] => ({
    name,
    type: "float32",
    shape: [],
    data: Float32Array.of(value),
  });

  it("is brought into the range, and every such answer is counted", async () => {
    const large = ending(
      [{ operator: "Mul", inputs: ["lastSum", "many"], outputs: ["action"] }],
      [scalar("many", 1e6)],
    );
    const policy = await openPolicy(await cardOfGraph(actor, "set", large), world, 0, devices);
    for (let number = 0; number < 20; number++) {
      const seen = observationOf(number);
      const action = newAction();
      await policy.decide(seen, action);
      expect(sharesFit(action.bandwidthShare, seen.bandwidthInUse)).toBe(true);
      expect(sharesFit(action.computeShare, seen.computeInUse)).toBe(true);
    }
    expect(policy.answers).toMatchObject({ asked: 20, adjusted: 20, fallbacks: { malformed: 0 } });
    await policy.close();
  });

  it("is replaced by Fair where its answer is no number, and every such answer is counted", async () => {
    // log of the charge over the capacity, less a little: no number with an empty battery.
    const root = ending(
      [
        { operator: "ReduceMin", inputs: ["features"], outputs: ["least"], attributes: { keepdims: { int: 0 } } },
        { operator: "Sub", inputs: ["least", "little"], outputs: ["below"] },
        { operator: "Sqrt", inputs: ["below"], outputs: ["none"] },
        { operator: "Add", inputs: ["lastSum", "none"], outputs: ["action"] },
      ],
      [scalar("little", 1e-3)],
    );
    const file = await cardOfGraph(actor, "set", root);
    // An idle community has features of 0: it is refused when it is opened.
    await expect(openPolicy(file, world, 0, devices)).rejects.toThrow(
      /cannot decide: expected 9 finite numbers in `action`, got NaN/,
    );
    const sometimes = ending(
      [
        { operator: "ReduceSum", inputs: ["features"], outputs: ["all"], attributes: { keepdims: { int: 0 } } },
        { operator: "Sub", inputs: ["most", "all"], outputs: ["rest"] },
        { operator: "Sqrt", inputs: ["rest"], outputs: ["root"] },
        { operator: "Add", inputs: ["lastSum", "root"], outputs: ["action"] },
      ],
      [scalar("most", 22)],
    );
    const policy = await openPolicy(await cardOfGraph(actor, "set", sometimes), world, 0, devices);
    const [decided, byFair] = [newAction(), newAction()];
    const substitute = fair(world, 0, devices);
    let before = 0;
    for (let number = 0; number < 40; number++) {
      await policy.decide(observationOf(number), decided);
      const { malformed } = policy.answers.fallbacks;
      if (malformed === before) continue;
      before = malformed;
      substitute.decide(observationOf(number), byFair);
      expect(decided).toEqual(byFair);
    }
    expect(before).toBeGreaterThan(3);
    expect(before).toBeLessThan(37);
    await policy.close();
  });
});
