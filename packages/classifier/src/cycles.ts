import { type Count, type Cycles, count } from "@offloadlab/units";

/**
 * How many inferences a task is.
 *
 * The paper's task asks for C cycles; a classifier's work comes in whole inferences. So a task of C cycles runs the model over
 * as many tiles of its image as take C cycles, at least one. The cycles of one inference are its measured seconds times
 * the pinned clock of the device that measured it.
 *
 * @param work C_{i,j}(h)
 * @throws RangeError when an inference takes no cycles
 */
export const inferenceCount = (work: Cycles, cyclesPerInference: Cycles): Count => {
  if (!(cyclesPerInference > 0))
    throw new RangeError(`Expected an inference of more than 0 cycles, got ${cyclesPerInference}`);
  return count(Math.max(1, Math.round(work / cyclesPerInference)));
};
