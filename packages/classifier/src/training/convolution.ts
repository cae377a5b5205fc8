/** Channels of square pictures; every row and column has a margin of one 0 on both sides: [channels, side + 2, side + 2]. */
export interface Planes {
  readonly channels: number;
  readonly side: number;
  readonly data: Float64Array;
}

export const planes = (channels: number, side: number): Planes => ({
  channels,
  side,
  data: new Float64Array(channels * (side + 2) ** 2),
});

/**
 * A 3 x 3 convolution with a margin of 1: the output is as large as the input.
 *
 * @param weights [output channels, input channels, 3, 3]
 * @param bias one for each output channel
 */
export const convolve = (input: Planes, weights: Float64Array, bias: Float64Array, output: Planes): void => {
  const { side } = input;
  const stride = side + 2;
  const from = input.data;
  const to = output.data;
  for (let o = 0; o < output.channels; o++) {
    const plane = o * stride * stride;
    const start = bias[o] as number;
    for (let y = 1; y <= side; y++) to.fill(start, plane + y * stride + 1, plane + y * stride + 1 + side);
    for (let i = 0; i < input.channels; i++) {
      const w = (o * input.channels + i) * 9;
      const a = weights[w] as number;
      const b = weights[w + 1] as number;
      const c = weights[w + 2] as number;
      const d = weights[w + 3] as number;
      const e = weights[w + 4] as number;
      const f = weights[w + 5] as number;
      const g = weights[w + 6] as number;
      const h = weights[w + 7] as number;
      const k = weights[w + 8] as number;
      for (let y = 1; y <= side; y++) {
        let above = (i * stride + y - 1) * stride;
        let middle = above + stride;
        let below = middle + stride;
        let at = plane + y * stride + 1;
        for (const end = at + side; at < end; at++) {
          to[at] =
            (to[at] as number) +
            a * (from[above] as number) +
            b * (from[above + 1] as number) +
            c * (from[above + 2] as number) +
            d * (from[middle] as number) +
            e * (from[middle + 1] as number) +
            f * (from[middle + 2] as number) +
            g * (from[below] as number) +
            h * (from[below + 1] as number) +
            k * (from[below + 2] as number);
          above++;
          middle++;
          below++;
        }
      }
    }
  }
};

/** Adds the gradients of a convolution's weights and biases, given that of its output. */
export const convolutionGradients = (
  input: Planes,
  outputGradient: Planes,
  weightGradient: Float64Array,
  biasGradient: Float64Array,
): void => {
  const { side } = input;
  const stride = side + 2;
  const from = input.data;
  const by = outputGradient.data;
  for (let o = 0; o < outputGradient.channels; o++) {
    const plane = o * stride * stride;
    let sum = 0;
    for (let y = 1; y <= side; y++) for (let x = 1; x <= side; x++) sum += by[plane + y * stride + x] as number;
    biasGradient[o] = (biasGradient[o] as number) + sum;
    for (let i = 0; i < input.channels; i++) {
      for (let row = 0; row < 3; row++) {
        let left = 0;
        let centre = 0;
        let right = 0;
        for (let y = 1; y <= side; y++) {
          let source = (i * stride + y - 1 + row) * stride;
          let at = plane + y * stride + 1;
          for (const end = at + side; at < end; at++) {
            const gradient = by[at] as number;
            left += gradient * (from[source] as number);
            centre += gradient * (from[source + 1] as number);
            right += gradient * (from[source + 2] as number);
            source++;
          }
        }
        const w = (o * input.channels + i) * 9 + row * 3;
        weightGradient[w] = (weightGradient[w] as number) + left;
        weightGradient[w + 1] = (weightGradient[w + 1] as number) + centre;
        weightGradient[w + 2] = (weightGradient[w + 2] as number) + right;
      }
    }
  }
};

/** The weights that carry a gradient backwards: each kernel turned by half, inputs and outputs exchanged. */
export const turned = (weights: Float64Array, outputs: number, inputs: number): Float64Array => {
  const back = new Float64Array(weights.length);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let k = 0; k < 9; k++) back[(i * outputs + o) * 9 + 8 - k] = weights[(o * inputs + i) * 9 + k] as number;
    }
  }
  return back;
};
