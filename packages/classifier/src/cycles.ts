import { type Count, type Cycles, count } from "@offloadlab/units";

/**
 * How many inferences a task is.
 *
 * The paper's task asks for C cycles; a classifier's work comes in whole inferences. So a task of C cycles is as many
 * inferences as take C cycles, at least one. In the rehearsal one of them is really run, over the whole image, and all are
 * paced to their part of C. On a board each is one over a tile of the image.
 *
 * @param work C_{i,j}(h)
 * @param cyclesPerInference in the rehearsal a setting; on a board its measured seconds times the pinned clock
 * @throws RangeError when an inference takes no cycles
 */
export const inferenceCount = (work: Cycles, cyclesPerInference: Cycles): Count => {
  if (!(cyclesPerInference > 0))
    throw new RangeError(`Expected an inference of more than 0 cycles, got ${cyclesPerInference}`);
  return count(Math.max(1, Math.round(work / cyclesPerInference)));
};
