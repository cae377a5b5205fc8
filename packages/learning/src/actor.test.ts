import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { type Actor, ActorForward, actorInput, actorModel, actorOf, actorOutput } from "./actor.ts";
import type { Agent } from "./agent.ts";
import { flatShape, learners, liveEpoch, numbers, setShape } from "./agents.test-helper.ts";
import { encodeModel, type Graph } from "./graph/onnx.ts";

const kinds = { set: setShape, flat: flatShape } as const;
const cases = learners.flatMap(({ name, open }) =>
  (["set", "flat"] as const).map((networks) => ({ name, networks, open: () => open(kinds[networks]) })),
);

const taught = async (open: () => Agent): Promise<Agent> => {
  const agent = open();
  await liveEpoch(agent, 1);
  return agent;
};

/** What ONNX Runtime makes of a model. */
const runModel = async (bytes: Uint8Array, features: Float32Array, rows: number): Promise<Float32Array> => {
  const session = await InferenceSession.create(bytes);
  const input = new Tensor("float32", features, [rows, features.length / rows]);
  const results = await session.run({ [actorInput]: input });
  const action = Float32Array.from((results[actorOutput] as Tensor).data as Float32Array);
  await session.release();
  return action;
};

const spread = (a: Float32Array, b: Float32Array): number =>
  Math.max(...a.map((x, i) => Math.abs(x - (b[i] as number))));

describe.each(cases)("$name, $networks networks", ({ networks, open }) => {
  test("an agent, its actor and its model act alike", async () => {
    const agent = await taught(open);
    const { rows, features, actions } = agent.shape;
    const model = encodeModel(actorModel(agent.actor, networks));
    const forward = new ActorForward(agent.actor, rows);
    for (let step = 0; step < 20; step++) {
      const state = numbers(rows * features, "seen", step);
      const [own, decided] = [new Float32Array(rows * actions), new Float32Array(rows * actions)];
      agent.act(state, own);
      forward.act(state, decided);
      expect(decided).toEqual(own);
      expect(spread(await runModel(model, state, rows), own)).toBeLessThan(1e-6);
    }
    await agent.close();
  });

  test("a model gives back the actor that it was written of", async () => {
    const agent = await taught(open);
    const read = actorOf(encodeModel(actorModel(agent.actor, networks))) as Actor;
    expect(read.weights).toEqual(agent.actor.weights);
    expect(read.shape).toEqual(agent.actor.shape);
    expect(read.choices?.map((choice) => choice.map(Math.fround))).toEqual(
      agent.actor.choices?.map((choice) => choice.map(Math.fround)),
    );
    await agent.close();
  });
});

test.each(learners)("a $name model of a set acts for 3 devices and for 40 as its actor does", async ({ open }) => {
  const agent = await taught(() => open(setShape));
  const model = encodeModel(actorModel(agent.actor, "set"));
  for (const rows of [1, 3, 40]) {
    const state = numbers(rows * setShape.features, "seen", rows);
    const decided = new Float32Array(rows * setShape.actions);
    new ActorForward(agent.actor, rows).act(state, decided);
    expect(spread(await runModel(model, state, rows), decided)).toBeLessThan(1e-6);
  }
  await agent.close();
});

test("a model that only resembles an actor is none", async () => {
  const { actor } = await taught(() => (learners[0] as (typeof learners)[number]).open(setShape));
  const graph = actorModel(actor, "set");
  const otherActivation: Graph = {
    ...graph,
    nodes: graph.nodes.map((node) => (node.operator === "Tanh" ? { ...node, operator: "Sigmoid" } : node)),
  };
  const withoutBias: Graph = {
    ...graph,
    constants: graph.constants.map((each) => ({ ...each, name: `_${each.name}` })),
  };
  const renamed: Graph = {
    ...withoutBias,
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map((name) => (graph.constants.some((each) => each.name === name) ? `_${name}` : name)),
    })),
  };
  expect(actorOf(encodeModel(graph))).toBeDefined();
  expect(actorOf(encodeModel(otherActivation))).toBeUndefined();
  expect(actorOf(encodeModel(renamed))).toBeUndefined();
});
