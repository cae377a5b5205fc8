import type { Planes } from "./convolution.ts";

/** ReLU, then the largest of every 2 x 2: half the side. `winners` keeps where each came from, -1 for a 0 of the ReLU. */
export const rectifyAndPool = (input: Planes, output: Planes, winners: Int32Array): void => {
  const wide = input.side + 2;
  const narrow = output.side + 2;
  const from = input.data;
  let winner = 0;
  for (let channel = 0; channel < output.channels; channel++) {
    for (let y = 0; y < output.side; y++) {
      for (let x = 0; x < output.side; x++) {
        const corner = (channel * wide + 2 * y + 1) * wide + 2 * x + 1;
        let best = corner;
        if ((from[corner + 1] as number) > (from[best] as number)) best = corner + 1;
        if ((from[corner + wide] as number) > (from[best] as number)) best = corner + wide;
        if ((from[corner + wide + 1] as number) > (from[best] as number)) best = corner + wide + 1;
        const largest = from[best] as number;
        winners[winner++] = largest > 0 ? best : -1;
        output.data[(channel * narrow + y + 1) * narrow + x + 1] = Math.max(0, largest);
      }
    }
  }
};

/** Carries the gradient of the pooled planes to the winners; all else gets 0. */
export const unpool = (outputGradient: Planes, winners: Int32Array, inputGradient: Planes): void => {
  const narrow = outputGradient.side + 2;
  inputGradient.data.fill(0);
  let winner = 0;
  for (let channel = 0; channel < outputGradient.channels; channel++) {
    for (let y = 1; y <= outputGradient.side; y++) {
      for (let x = 1; x <= outputGradient.side; x++) {
        const best = winners[winner++] as number;
        if (best >= 0) {
          inputGradient.data[best] = outputGradient.data[(channel * narrow + y) * narrow + x] as number;
        }
      }
    }
  }
};
