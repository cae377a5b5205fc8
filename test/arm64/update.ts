// Four updates by the learner of a release, `mec-learner.mjs` beside this program, on noise: prints a digest of losses and weights.
import { SHARE_ENV, Worker } from "node:worker_threads";
import { type AgentWeights, onnxEngine } from "@offloadlab/learning";
import { presets, randomStream } from "@offloadlab/model";
import { deployedAgent, deploymentOf, Training, trainingSettings } from "@offloadlab/simulation";
import type { LearnerAnswer, LearnerRequest } from "../../apps/mec/src/learner-messages.ts";

const world = presets.testbed;
const chosen = trainingSettings("pfr-oa", { epochs: 4, networks: "set", hyperparameters: "recommended" });
const settings = { ...chosen, agent: { ...chosen.agent, hidden: 64, batchSize: 64 } };
const deployment = deploymentOf(new Training(world, settings, onnxEngine, 1));
const { agent, translator } = deployedAgent(deployment, onnxEngine, world, 0);
await agent.close();

const { rows, features, actions, values } = translator.shape;
const random = randomStream(1, "arm64");
const noise = (length: number) => Float32Array.from({ length }, () => random.uniform(-1, 1));
const worker = new Worker(new URL("./mec-learner.mjs", import.meta.url), {
  workerData: { deployment, world, communityIndex: 0, engine: "onnx" },
  env: SHARE_ENV,
});
const post = (request: LearnerRequest): void => worker.postMessage(request);
const [stored, updates] = [2 * settings.agent.batchSize, 4];
const losses: number[] = [];
let seen = 0;
let weights: AgentWeights = {};
const learned = new Promise<void>((resolve, reject) => {
  worker.on("error", reject);
  worker.on("message", (answer: LearnerAnswer) => {
    if (answer.kind !== "learned") return;
    losses.push(...Object.values(answer.losses));
    ({ weights } = answer);
    seen += 1;
    if (seen === updates) resolve();
  });
});
for (let index = 1; index <= stored; index += 1) {
  const transition = {
    state: noise(rows * features),
    action: noise(rows * actions),
    reward: noise(rows * values),
    next: noise(rows * features),
    terminated: false,
  };
  // The last one asks for all of them: by then everything is remembered.
  post({ kind: "learn", transition, updates: index === stored ? updates : 0 });
}
await learned;
post({ kind: "close" });
const sumOf = (numbers: Iterable<number> = []) => [...numbers].reduce((sum, value) => sum + Math.abs(value), 0);
const { actor, critic1 } = weights;
console.log(JSON.stringify({ processor: process.arch, losses, actor: sumOf(actor), critic: sumOf(critic1) }));
