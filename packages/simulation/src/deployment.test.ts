import { onnxEngine } from "@offloadlab/learning";
import { emptyAction, presets, type Settings } from "@offloadlab/model";
import { count } from "@offloadlab/units";
import { expect, it } from "vitest";
import { decodeDeployment, deployedAgent, deployedPolicy, deploymentOf, encodeDeployment } from "./deployment.ts";
import { Training } from "./training.ts";
import { encodeTraining } from "./training-file.ts";
import { methods, trainingSettings } from "./training-settings.ts";

const world: Settings = { ...presets.testbed, timeSlotCount: count(3) };
const trained = async (method: (typeof methods)[number]): Promise<Training> => {
  const settings = trainingSettings(method, { epochs: 2, networks: "set", hyperparameters: "recommended" });
  const small = { ...settings, randomEpochs: 1, agent: { ...settings.agent, hidden: 8, batchSize: 4 } };
  const training = new Training(world, small, onnxEngine, 3);
  while (training.epoch < 2) await training.runEpoch();
  return training;
};

it.each(methods)("%s: a deployed policy decides as the trained one, from its file", async (method) => {
  const training = await trained(method);
  const deployment = decodeDeployment(encodeDeployment(deploymentOf(training)));
  expect(deployment.epochs).toBe(2);
  for (const [index, { community, policy }] of training.policies().entries()) {
    const deployed = deployedPolicy("mine", deployment, onnxEngine, world, index);
    expect(deployed.name).toBe("mine");
    const n = count(community.deviceCount);
    const [expected, actual] = [emptyAction(n), emptyAction(n)];
    community.reset(5);
    for (let subSlot = 0; subSlot < 12; subSlot++) {
      policy.decide(community.observation, expected);
      deployed.decide(community.observation, actual);
      expect(actual).toEqual(expected);
      community.step(expected);
    }
  }
  await training.close();
});

it("goes on learning from the networks that it was deployed with", async () => {
  const training = await trained("pfr-oa");
  const { agent } = deployedAgent(deploymentOf(training), onnxEngine, world, 1);
  expect(agent.weights).toEqual(training.agents[1]?.weights);
  const { rows, features, actions, values } = agent.shape;
  const numbers = (length: number): Float32Array => new Float32Array(length).fill(0.3);
  const parts = { state: numbers(rows * features), action: numbers(rows * actions), next: numbers(rows * features) };
  agent.store({ ...parts, reward: numbers(rows * values), terminated: false });
  await agent.update();
  expect(agent.weights).not.toEqual(training.agents[1]?.weights);
  await Promise.all([agent.close(), training.close()]);
});

it("takes along the last 2000 transitions, also of a buffer that was filled more than once", async () => {
  const training = await trained("td3");
  const [first] = training.agents;
  const { rows, features, actions, values } = first?.shape ?? expect.fail();
  const settings = training.settings.agent;
  for (let i = 0; i < settings.bufferCapacity + 700; i++) {
    const filled = (length: number): Float32Array => new Float32Array(length).fill(i);
    const parts = { state: filled(rows * features), action: filled(rows * actions), next: filled(rows * features) };
    first?.store({ ...parts, reward: filled(rows * values), terminated: false });
  }
  const { arrays, counts } = deploymentOf(training).agents[0] ?? expect.fail();
  const { buffer = new Float32Array(0) } = arrays;
  expect(counts["pushed"]).toBe(2000);
  const width = buffer.length / 2000;
  expect(buffer[0]).toBe(settings.bufferCapacity + 700 - 2000);
  expect(buffer[1999 * width]).toBe(settings.bufferCapacity + 699);
  await training.close();
});

it("refuses files of other tensors, and worlds of other communities", async () => {
  const training = await trained("td3");
  expect(() => decodeDeployment(encodeTraining(training.snapshot()))).toThrow(/deployed agents/);
  const deployment = deploymentOf(training);
  const one = { ...deployment, agents: deployment.agents.slice(0, 1) };
  expect(() => deployedAgent(one, onnxEngine, world, 2)).toThrow(/agents of 3 communities, got 1/);
  await training.close();
});
