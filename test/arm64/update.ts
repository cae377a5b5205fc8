// Four updates of TD3 on noise, the first and third of the critics alone: prints a digest of losses and weights.
import { onnxEngine, Td3, td3Defaults } from "@offloadlab/learning";
import { randomStream } from "@offloadlab/model";

const shape = { rows: 1, features: 17, actions: 9, values: 1 };
const settings = { ...td3Defaults, hidden: 64, batchSize: 64, pooled: false, bufferCapacity: 256 };
const learner = new Td3(onnxEngine, shape, settings, 1);
const random = randomStream(1, "arm64");
const noise = (length: number) => Float32Array.from({ length }, () => random.uniform(-1, 1));
for (let index = 0; index < settings.bufferCapacity; index += 1)
  learner.store({
    state: noise(shape.features),
    action: noise(shape.actions),
    reward: noise(shape.values),
    next: noise(shape.features),
    terminated: false,
  });
const losses: number[] = [];
for (let update = 0; update < 4; update += 1) losses.push(...Object.values(await learner.update()));
const { actor, critic1 } = learner.weights;
const sumOf = (values: Iterable<number> = []) => [...values].reduce((sum, value) => sum + Math.abs(value), 0);
console.log(JSON.stringify({ processor: process.arch, losses, actor: sumOf(actor), critic: sumOf(critic1) }));
