import { type Clock, EmulatedProcessor, type Processor } from "@offloadlab/hardware";
import { Failure } from "@offloadlab/protocol";
import { type Cycles, cycles, type Hertz, type Seconds } from "@offloadlab/units";
import type { Classifier } from "./classifier.ts";
import { inferenceCount } from "./cycles.ts";

const probes = 15;

/**
 * What one inference counts for on this machine: its seconds, the median of fifteen, times the pinned clock.
 *
 * @param rate F or f: of all processors that one inference uses
 */
const measureCycles = async (classifier: Classifier, rate: Hertz): Promise<Cycles> => {
  const times: number[] = [];
  for (let probe = 0; probe < probes; probe += 1)
    times.push((await classifier.infer(emptyTensor(classifier))).inferSeconds);
  return cycles((times.sort((a, b) => a - b)[probes >> 1] as number) * rate);
};

/** The compute of a node: what an inference counts for, and what runs tasks. */
export interface Compute {
  readonly cyclesPerInference: Cycles;
  /**
   * A processor of a trial.
   *
   * @param rate F or f as the trial's settings have it
   * @throws Failure `config/invalid` when the board runs at another rate, or the trial is not in real time
   */
  processor(clock: Clock, rate: Hertz, clockSpeed: number): Processor;
}

/** Tasks are paced to C / F, whatever this machine is. */
export const emulatedCompute = (cyclesPerInference: Cycles): Compute => ({
  cyclesPerInference,
  processor: (clock, rate) => new EmulatedProcessor(clock, rate),
});

/** Settings and board agree to this. */
const rateTolerance = 0.02;

/**
 * Tasks are inferences of the classifier.
 *
 * @param rate F or f of the board: its pinned clock times the processors that one inference uses
 * @param beside inferences of each piece of work that its caller runs itself
 */
export const measuredCompute = async (classifier: Classifier, rate: Hertz, beside = 0): Promise<Compute> => {
  const cyclesPerInference = await measureCycles(classifier, rate);
  return {
    cyclesPerInference,
    processor: (clock, wanted, clockSpeed) => {
      if (Math.abs(wanted / rate - 1) > rateTolerance)
        throw new Failure(
          "config/invalid",
          `expected settings of this board's ${rate / 1e9} GHz, got ${wanted / 1e9} GHz; change the settings, or pin the clock there`,
        );
      if (clockSpeed !== 1)
        throw new Failure("config/invalid", `expected clock_speed_ratio 1 on real boards, got ${clockSpeed}`);
      return new InferenceProcessor(clock, rate, classifier, cyclesPerInference, beside);
    },
  };
};

/** Arithmetic takes the same time on any values. */
const emptyTensor = ({ card: { input } }: Classifier): Float32Array<ArrayBuffer> =>
  new Float32Array(3 * input.width * input.height);

/** A real processor: C cycles are as many inferences as take them, and take as long as those do. */
class InferenceProcessor implements Processor {
  readonly rate: Hertz;
  readonly #clock: Clock;
  readonly #classifier: Classifier;
  readonly #cyclesPerInference: Cycles;
  readonly #beside: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(clock: Clock, rate: Hertz, classifier: Classifier, cyclesPerInference: Cycles, beside: number) {
    this.#clock = clock;
    this.rate = rate;
    this.#classifier = classifier;
    this.#cyclesPerInference = cyclesPerInference;
    this.#beside = beside;
  }

  /** @throws Failure `classifier/unloadable` when the runtime died */
  run(work: Cycles, _from?: Seconds, signal?: AbortSignal): Promise<Seconds> {
    const inferences = inferenceCount(work, this.#cyclesPerInference) - this.#beside;
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
