import type { RandomStream } from "@offloadlab/model";
import { convolutionGradients, convolve, type Planes, planes, turned } from "./convolution.ts";
import { rectifyAndPool, unpool } from "./pooling.ts";

/** The sizes of a network: blocks of convolution, ReLU and pooling that each halve the side, then one dense layer. */
export interface Architecture {
  readonly side: number;
  /** Of the input, then of each block's output. */
  readonly channels: readonly number[];
  readonly classes: number;
}

interface Block {
  readonly input: Planes;
  readonly convolved: Planes;
  readonly winners: Int32Array;
  readonly inputGradient: Planes;
  readonly convolvedGradient: Planes;
}

/** Where a layer's parameters lie in the flat arrays. */
export interface Slices {
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

/** A small convolutional network, its gradients written out by hand. One example at a time. */
export interface Network {
  readonly architecture: Architecture;
  /** All parameters in one array, and the sum of their gradients since it was last filled with 0. */
  readonly parameters: Float64Array;
  readonly gradients: Float64Array;
  /** The parameters of each block and, last, of the dense layer: [classes, features]. */
  readonly layers: readonly Slices[];
  /** @param image [channels, side, side] @returns the logits, overwritten by the next call */
  forward(image: Float32Array): Float64Array;
  /** Adds the gradient of the loss for the last forward call, given that of its logits. */
  backward(logitGradient: Float64Array): void;
}

/** A network with random weights of He's variance, 2 / inputs, and biases of 0. */
export const createNetwork = (architecture: Architecture, random: RandomStream): Network => {
  const { side, channels, classes } = architecture;
  const blocks: Block[] = channels.slice(1).map((outputs, i) => {
    const at = side >> i;
    return {
      input: planes(channels[i] as number, at),
      convolved: planes(outputs, at),
      winners: new Int32Array(outputs * (at / 2) ** 2),
      inputGradient: planes(channels[i] as number, at),
      convolvedGradient: planes(outputs, at),
    };
  });
  const last = planes(channels.at(-1) as number, side >> blocks.length);
  const lastGradient = planes(last.channels, last.side);
  const features = new Float64Array(last.channels * last.side ** 2);
  const featureGradient = new Float64Array(features.length);
  const logits = new Float64Array(classes);
  const pooledOf = (i: number): Planes => blocks[i + 1]?.input ?? last;
  const pooledGradientOf = (i: number): Planes => blocks[i + 1]?.inputGradient ?? lastGradient;

  const sizes = [
    ...blocks.map(({ input, convolved }) => [convolved.channels * input.channels * 9, convolved.channels] as const),
    [classes * features.length, classes] as const,
  ];
  const parameters = new Float64Array(sizes.reduce((sum, [weights, bias]) => sum + weights + bias, 0));
  const gradients = new Float64Array(parameters.length);
  const layers = sliced(parameters, sizes);
  const layerGradients = sliced(gradients, sizes);
  for (const { weights, bias } of layers) {
    const deviation = Math.sqrt((2 * bias.length) / weights.length);
    for (let i = 0; i < weights.length; i++) weights[i] = deviation * normal(random);
  }
  const dense = layers.at(-1) as Slices;
  const denseGradient = layerGradients.at(-1) as Slices;

  return {
    architecture,
    parameters,
    gradients,
    layers,
    forward: (image) => {
      embed(image, (blocks[0] as Block).input);
      for (const [i, { input, convolved, winners }] of blocks.entries()) {
        const { weights, bias } = layers[i] as Slices;
        convolve(input, weights, bias, convolved);
        rectifyAndPool(convolved, pooledOf(i), winners);
      }
      extract(last, features);
      for (let c = 0; c < classes; c++) {
        let sum = dense.bias[c] as number;
        const row = c * features.length;
        for (let i = 0; i < features.length; i++) sum += (dense.weights[row + i] as number) * (features[i] as number);
        logits[c] = sum;
      }
      return logits;
    },
    backward: (logitGradient) => {
      featureGradient.fill(0);
      for (let c = 0; c < classes; c++) {
        const gradient = logitGradient[c] as number;
        denseGradient.bias[c] = (denseGradient.bias[c] as number) + gradient;
        const row = c * features.length;
        for (let i = 0; i < features.length; i++) {
          denseGradient.weights[row + i] =
            (denseGradient.weights[row + i] as number) + gradient * (features[i] as number);
          featureGradient[i] = (featureGradient[i] as number) + gradient * (dense.weights[row + i] as number);
        }
      }
      embed(featureGradient, lastGradient);
      for (let i = blocks.length - 1; i >= 0; i--) {
        const { input, inputGradient, convolvedGradient, winners } = blocks[i] as Block;
        unpool(pooledGradientOf(i), winners, convolvedGradient);
        const { weights, bias } = layerGradients[i] as Slices;
        convolutionGradients(input, convolvedGradient, weights, bias);
        // Nobody asks for the gradient of the image.
        if (i === 0) continue;
        const back = turned((layers[i] as Slices).weights, convolvedGradient.channels, input.channels);
        convolve(convolvedGradient, back, new Float64Array(input.channels), inputGradient);
      }
    },
  };
};

const sliced = (flat: Float64Array, sizes: readonly (readonly [number, number])[]): Slices[] => {
  let offset = 0;
  const take = (length: number): Float64Array => {
    offset += length;
    return flat.subarray(offset - length, offset);
  };
  return sizes.map(([weights, bias]) => ({ weights: take(weights), bias: take(bias) }));
};

/** Copies dense planes [channels, side, side] inside the margins. */
const embed = (dense: Float32Array | Float64Array, { channels, side, data }: Planes): void => {
  for (let row = 0; row < channels * side; row++) {
    const y = Math.floor(row / side) * (side + 2) + (row % side) + 1;
    data.set(dense.subarray(row * side, (row + 1) * side), y * (side + 2) + 1);
  }
};

/** Copies planes without their margins. */
const extract = ({ channels, side, data }: Planes, dense: Float64Array): void => {
  for (let row = 0; row < channels * side; row++) {
    const y = Math.floor(row / side) * (side + 2) + (row % side) + 1;
    dense.set(data.subarray(y * (side + 2) + 1, y * (side + 2) + 1 + side), row * side);
  }
};

/** Box and Muller's transform. */
const normal = (random: RandomStream): number =>
  Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
