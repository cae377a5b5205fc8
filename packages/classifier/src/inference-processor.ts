import type { Clock, Processor } from "@offloadlab/hardware";
import { type Cycles, cycles, type Hertz, type Seconds } from "@offloadlab/units";
import type { Classifier } from "./classifier.ts";
import { inferenceCount } from "./cycles.ts";

const probes = 15;

/**
 * What one inference counts for on this machine: its seconds, the median of fifteen, times the pinned clock.
 *
 * @param rate F or f: of all processors that one inference uses
 */
export const measureCycles = async (classifier: Classifier, rate: Hertz): Promise<Cycles> => {
  const times: number[] = [];
  for (let probe = 0; probe < probes; probe += 1)
    times.push((await classifier.infer(emptyTensor(classifier))).inferSeconds);
  return cycles((times.sort((a, b) => a - b)[probes >> 1] as number) * rate);
};

/** Arithmetic takes the same time on any values. */
const emptyTensor = ({ card: { input } }: Classifier): Float32Array<ArrayBuffer> =>
  new Float32Array(3 * input.width * input.height);

/** A real processor: C cycles are as many inferences as take them, and take as long as those do. */
export class InferenceProcessor implements Processor {
  readonly rate: Hertz;
  readonly #clock: Clock;
  readonly #classifier: Classifier;
  readonly #cyclesPerInference: Cycles;
  #last: Promise<unknown> = Promise.resolve();

  constructor(clock: Clock, rate: Hertz, classifier: Classifier, cyclesPerInference: Cycles) {
    this.#clock = clock;
    this.rate = rate;
    this.#classifier = classifier;
    this.#cyclesPerInference = cyclesPerInference;
  }

  /** @throws Failure `classifier/unloadable` when the runtime died */
  run(work: Cycles, _from?: Seconds, signal?: AbortSignal): Promise<Seconds> {
    const inferences = inferenceCount(work, this.#cyclesPerInference);
    const done = this.#last.then(async () => {
      for (let number = 0; number < inferences; number += 1) {
        signal?.throwIfAborted();
        await this.#classifier.infer(emptyTensor(this.#classifier));
      }
      return this.#clock.now();
    });
    this.#last = done.catch(() => undefined);
    return done;
  }
}
