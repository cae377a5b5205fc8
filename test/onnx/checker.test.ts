import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { embeddedModel } from "@offloadlab/classifier";
import {
  actorModel,
  Ddpg,
  Dqn,
  ddpgDefaults,
  dqnDefaults,
  encodeModel,
  type Graph,
  onnxEngine,
  type Rows,
  Td3,
  td3Defaults,
  td3Update,
} from "@offloadlab/learning";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ddpgUpdate } from "../../packages/learning/src/ddpg.ts";
import { dqnUpdate } from "../../packages/learning/src/dqn.ts";
import * as graph from "../../packages/learning/src/graph/expression.ts";
import { lower } from "../../packages/learning/src/graph/lower.ts";

const { input } = graph;
const run = promisify(execFile);
/** With Debian's interpreter: it has Debian's python3-onnx. */
const check = (folder: string) => run("/usr/bin/python3", [join(import.meta.dirname, "check.py"), folder]);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-onnx-"));
});
afterAll(() => rm(folder, { recursive: true }));

const rows = {
  flat: { rows: 1, features: 17, actions: 9, values: 1 },
  set: { rows: 13, features: 12, actions: 3, values: 1 },
};

/** A program for each operation, those with both matrices' axes among them. */
const operations = (): Record<string, graph.Expression> => {
  const [a, b, column] = [input("a", [2, 3]), input("b", [2, 3]), input("column", [2, 1])];
  const stack = input("stack", [4, 2, 3]);
  const [gradient] = graph.gradients(graph.sum(graph.tanh(graph.matmul(stack, a, { transposeRight: true }))), [a]);
  return {
    add: graph.add(a, column),
    subtract: graph.subtract(a, b),
    multiply: graph.multiply(a, 2),
    divide: graph.divide(a, b),
    minimum: graph.minimum(a, column),
    maximum: graph.maximum(a, b),
    atMost: graph.atMost(a, b),
    above: graph.above(a, 0),
    relu: graph.relu(a),
    tanh: graph.tanh(a),
    squareRoot: graph.squareRoot(a),
    stop: graph.stopGradient(a),
    matmul: graph.matmul(a, b, { transposeRight: true }),
    batchedMatmul: graph.matmul(stack, a, { transposeLeft: true }),
    rowSum: graph.sum(a, [0]),
    columnSum: graph.sum(a, [1]),
    mean: graph.mean(stack),
    largest: graph.largest(stack, 1),
    reshape: graph.reshape(a, [6]),
    broadcast: graph.broadcastTo(column, [4, 2, 3]),
    concat: graph.concat([a, column], 1),
    slice: graph.slice(stack, 2, 1, 3),
    pad: graph.pad(a, 0, 1, 2),
    gradient: gradient as graph.Expression,
    input: a,
    constant: graph.scalar(1),
  };
};

/** Every update that a learner runs, by the learner and what of it takes its turn. */
const updatesOf = (shape: Rows, pooled: boolean): Record<string, Record<string, graph.Expression>> => {
  const updates: Record<string, Record<string, graph.Expression>> = {
    ddpg: ddpgUpdate(shape, { ...ddpgDefaults, pooled }),
  };
  for (const turn of [false, true]) {
    for (const withProximal of [false, true]) {
      const name = `td3-${turn ? "actor" : "critics"}${withProximal ? "-proximal" : ""}`;
      updates[name] = td3Update(shape, { ...td3Defaults, pooled }, { withActor: turn, withProximal });
    }
    for (const double of [false, true]) {
      const name = `dqn${double ? "-double" : ""}${turn ? "-target" : ""}`;
      updates[name] = dqnUpdate(shape, { ...dqnDefaults, pooled, double }, turn);
    }
  }
  return updates;
};

test("ONNX's checker accepts every model that we write", { timeout: 60_000 }, async () => {
  const models: Record<string, Graph> = { operations: lower("operations", operations()) };
  for (const [name, shape] of Object.entries(rows)) {
    for (const [update, outputs] of Object.entries(updatesOf(shape, name === "set"))) {
      models[`${name}-${update}`] = lower(`${name}-${update}`, outputs);
    }
  }
  expect(Object.keys(models)).toHaveLength(2 * 9 + 1);
  for (const [name, model] of Object.entries(models)) {
    await writeFile(join(folder, `${name}.onnx`), encodeModel(model));
  }
  await copyFile(embeddedModel, join(folder, "embedded.onnx"));
  const { stdout } = await check(folder);
  expect(stdout.trim().split("\n")).toHaveLength(Object.keys(models).length + 1);
});

test("ONNX's checker accepts the actor of every learner, of a set with any number of rows", async () => {
  const actors = await mkdtemp(join(folder, "actors-"));
  const shapes = { set: rows.set, flat: { rows: 1, features: 17, actions: 9, values: 3 } } as const;
  for (const networks of ["set", "flat"] as const) {
    const shape = shapes[networks];
    const common = { pooled: networks === "set" };
    const agents = {
      td3: new Td3(onnxEngine, shape, { ...td3Defaults, ...common }, 1),
      ddpg: new Ddpg(onnxEngine, shape, { ...ddpgDefaults, ...common }, 1),
      dqn: new Dqn(onnxEngine, shape, { ...dqnDefaults, ...common }, 1),
    };
    for (const [name, agent] of Object.entries(agents)) {
      const model = actorModel(agent.actor, networks);
      expect(model.outputs).toEqual([
        { name: "action", type: "float32", shape: networks === "set" ? ["devices", 3] : [1, 9] },
      ]);
      await writeFile(join(actors, `${networks}-${name}.onnx`), encodeModel(model));
      await agent.close();
    }
  }
  const { stdout } = await check(actors);
  expect(stdout.trim().split("\n")).toHaveLength(6);
  await rm(actors, { recursive: true });
});

test("ONNX's checker accepts the model that the example in Python writes", async () => {
  const example = await mkdtemp(join(folder, "example-"));
  await run("python3", [join(import.meta.dirname, "../../examples/greedy_onnx.py"), join(example, "greedy.onnx")]);
  const { stdout } = await check(example);
  expect(stdout).toMatch(/^greedy\.onnx: \d+ nodes, 1 outputs$/m);
  await rm(example, { recursive: true });
});

test("the checker finds what is wrong with a model", async () => {
  const broken = await mkdtemp(join(folder, "broken-"));
  const model = lower("broken", { y: graph.tanh(input("x", [2, 3])) });
  const changes: Record<string, Partial<Graph>> = {
    "unknown-operator": { nodes: [{ operator: "Tangent", inputs: ["x"], outputs: ["y"] }] },
    "wrong-type": { outputs: [{ name: "y", type: "int64", shape: [2, 3] }] },
    "wrong-shape": { outputs: [{ name: "y", type: "float32", shape: [3, 2] }] },
    "wrong-arguments": { nodes: [{ operator: "Tanh", inputs: ["x", "x"], outputs: ["y"] }] },
  };
  for (const [name, change] of Object.entries(changes)) {
    await writeFile(join(broken, `${name}.onnx`), encodeModel({ ...model, ...change }));
  }
  const failure = await check(broken).then(
    ({ stdout }) => ({ stdout, stderr: "", code: 0 }),
    (error: { stdout: string; stderr: string; code: number }) => error,
  );
  expect(failure).toMatchObject({ code: 1, stdout: "" });
  for (const name of Object.keys(changes)) expect(failure.stderr).toContain(`${name}.onnx: `);
  await rm(broken, { recursive: true });
});
