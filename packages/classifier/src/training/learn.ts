import type { RandomStream } from "@offloadlab/model";
import type { Network } from "./network.ts";

/** A decoded image and the index of its label. */
export interface Example {
  readonly tensor: Float32Array;
  readonly label: number;
}

/** Softmax cross-entropy, -log p(label), and its gradient p - 1(label) with respect to the logits. */
export const crossEntropy = (logits: Float64Array, label: number): { loss: number; gradient: Float64Array } => {
  const largest = Math.max(...logits);
  const gradient = logits.map((logit) => Math.exp(logit - largest));
  const sum = gradient.reduce((a, b) => a + b, 0);
  for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] as number) / sum;
  const loss = -Math.log(Math.max(1e-12, gradient[label] as number));
  gradient[label] = (gradient[label] as number) - 1;
  return { loss, gradient };
};

/** A step of Adam (Kingma and Ba, 2015, Algorithm 1) with β1 = 0.9, β2 = 0.999, ε = 1e-8. */
const adam = (parameters: Float64Array): ((gradients: Float64Array, learningRate: number) => void) => {
  const first = new Float64Array(parameters.length);
  const second = new Float64Array(parameters.length);
  let step = 0;
  return (gradients, learningRate) => {
    step++;
    const rate = (learningRate * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
    for (let i = 0; i < parameters.length; i++) {
      const gradient = gradients[i] as number;
      const m = 0.9 * (first[i] as number) + 0.1 * gradient;
      const v = 0.999 * (second[i] as number) + 0.001 * gradient * gradient;
      first[i] = m;
      second[i] = v;
      parameters[i] = (parameters[i] as number) - (rate * m) / (Math.sqrt(v) + 1e-8);
    }
  };
};

/**
 * The image mirrored, its colours exchanged, or its negative, at random: its class stays what it is.
 *
 * @param tensor [3, side, side], its values about as far below 0 as above
 */
const varied = (tensor: Float32Array, side: number, random: RandomStream): Float32Array => {
  const area = side * side;
  const flipX = random.integer(2) * (side - 1);
  const flipY = random.integer(2) * (side - 1);
  const sign = random.integer(2) === 0 ? 1 : -1;
  const shift = random.integer(3);
  const turn = random.integer(2) === 0 ? 1 : -1;
  const result = new Float32Array(tensor.length);
  let target = 0;
  for (let channel = 0; channel < 3; channel++) {
    const plane = ((3 + shift + turn * channel) % 3) * area;
    for (let y = 0; y < side; y++) {
      const row = plane + Math.abs(flipY - y) * side;
      for (let x = 0; x < side; x++) result[target++] = sign * (tensor[row + Math.abs(flipX - x)] as number);
    }
  }
  return result;
};

/**
 * Trains on variations of the examples in batches of 32, the learning rate falling from its start to 0 along a half cosine.
 *
 * @param onEpoch called after each pass over the examples with its mean loss and the share of right answers
 */
export const train = (
  network: Network,
  examples: Example[],
  { epochs, learningRate }: { readonly epochs: number; readonly learningRate: number },
  random: RandomStream,
  onEpoch: (epoch: number, loss: number, accuracy: number) => void,
): void => {
  const batchSize = 32;
  const improve = adam(network.parameters);
  const batches = Math.floor(examples.length / batchSize);
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(examples, random);
    let losses = 0;
    let hits = 0;
    for (let batch = 0; batch < batches; batch++) {
      network.gradients.fill(0);
      for (const { tensor, label } of examples.slice(batch * batchSize, (batch + 1) * batchSize)) {
        const logits = network.forward(varied(tensor, network.architecture.side, random));
        if (logits.indexOf(Math.max(...logits)) === label) hits++;
        const { loss, gradient } = crossEntropy(logits, label);
        losses += loss;
        network.backward(gradient.map((value) => value / batchSize));
      }
      const progress = (epoch * batches + batch) / (epochs * batches);
      improve(network.gradients, learningRate * 0.5 * (1 + Math.cos(Math.PI * progress)));
    }
    onEpoch(epoch + 1, losses / (batches * batchSize), hits / (batches * batchSize));
  }
};

const shuffle = (examples: Example[], random: RandomStream): void => {
  for (let i = examples.length - 1; i > 0; i--) {
    const other = random.integer(i + 1);
    [examples[i], examples[other]] = [examples[other] as Example, examples[i] as Example];
  }
};
