// Four updates by the learner of a release, `mec-learner.mjs` beside this program, in a process as on boards and on noise:
// prints a digest of losses and weights.
import { carry } from "@offloadlab/hardware/carrier";
import { type AgentWeights, onnxEngine } from "@offloadlab/learning";
import { presets, randomStream } from "@offloadlab/model";
import { deployedAgent, deploymentOf, Training, trainingSettings } from "@offloadlab/simulation";
import type { LearnerAnswer, LearnerData, LearnerRequest } from "../../apps/mec/src/learner-messages.ts";

const world = presets.testbed;
const chosen = trainingSettings("pfr-oa", { epochs: 4, networks: "set", hyperparameters: "recommended" });
const settings = { ...chosen, agent: { ...chosen.agent, hidden: 64, batchSize: 64 } };
const deployment = deploymentOf(new Training(world, settings, onnxEngine, 1));
const { agent, translator } = deployedAgent(deployment, onnxEngine, world, 0);
await agent.close();

const { rows, features, actions, values } = translator.shape;
const random = randomStream(1, "arm64");
const noise = (length: number) => Float32Array.from({ length }, () => random.uniform(-1, 1));
const data: LearnerData = { deployment, world, communityIndex: 0, engine: "onnx" };
const learner = carry<LearnerRequest, LearnerAnswer>(
  new URL("./mec-learner.mjs", import.meta.url),
  "process",
  "the learner's",
  data,
);
const [stored, updates] = [2 * settings.agent.batchSize, 4];
const losses: number[] = [];
let seen = 0;
let weights: AgentWeights = {};
const ended = new Promise<string>((resolve) => learner.onEnd(resolve));
const learned = new Promise<void>((resolve, reject) => {
  void ended.then((how) => reject(new RangeError(`Expected ${updates} updates, got ${seen}: ${how}`)));
  learner.onAnswer((answer) => {
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
  learner.post({ kind: "learn", transition, updates: index === stored ? updates : 0 });
}
await learned;
learner.post({ kind: "close" });
const how = await ended;
if (!how.endsWith("code 0")) throw new RangeError(`Expected an end with code 0, got: ${how}`);
const sumOf = (numbers: Iterable<number> = []) => [...numbers].reduce((sum, value) => sum + Math.abs(value), 0);
const { actor, critic1 } = weights;
console.log(JSON.stringify({ processor: process.arch, losses, actor: sumOf(actor), critic: sumOf(critic1) }));
