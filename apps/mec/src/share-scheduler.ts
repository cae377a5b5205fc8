import { inferenceCount } from "@offloadlab/classifier";
import type { Clock, Processor } from "@offloadlab/hardware";
import { type Count, type Cycles, cycles, type Seconds, seconds } from "@offloadlab/units";

/** Work under a compute share, in equal quanta. */
interface Job {
  readonly share: number;
  readonly start: Seconds;
  readonly work: Cycles;
  readonly quanta: Count;
  /** Quanta served so far. */
  served: number;
  readonly finish: (execution: Execution) => void;
  readonly fail: (reason: unknown) => void;
}

/** How a job was executed. */
export interface Execution {
  /** From submission to the first quantum. */
  readonly queue: Seconds;
  /** T^m: from submission to the end, as measured. */
  readonly delay: Seconds;
  /** C / (F · T^m), to compare with β. */
  readonly achievedShare: number;
}

/** When the next quantum of a job may begin and must be over, if the job is to run at its share of the rate. */
export const window = (job: Omit<Job, "finish" | "fail">, rate: number) => {
  const endOf = (quanta: number): Seconds =>
    seconds(job.start + ((quanta / job.quanta) * job.work) / (job.share * rate));
  return { eligible: endOf(job.served), deadline: endOf(job.served + 1) };
};

/**
 * The job whose next quantum is served now: of those that are eligible, the one with the earliest deadline; when none
 * is, the one that becomes eligible first.
 */
export const nextJob = <J extends Omit<Job, "finish" | "fail">>(
  jobs: Iterable<J>,
  now: Seconds,
  rate: number,
): J | undefined => {
  let best: J | undefined;
  let bestKey = [2, 0];
  for (const job of jobs) {
    const { eligible, deadline } = window(job, rate);
    const key = eligible <= now ? [0, deadline] : [1, eligible];
    if (
      (key[0] as number) < (bestKey[0] as number) ||
      (key[0] === bestKey[0] && (key[1] as number) < (bestKey[1] as number))
    ) {
      best = job;
      bestKey = key;
    }
  }
  return best;
};

/**
 * Weighted fair sharing of a server among offloaded tasks, the quantum being one inference: a task is as many equal quanta
 * as `inferenceCount` says. They are paced here; the task's real inference runs beside them, on the classifier's thread.
 *
 * Every job's quanta have windows on the fluid schedule on which it runs at exactly β · F (Bennett & Zhang, "WF²Q:
 * worst-case fair weighted fair queueing", INFOCOM 1996): a quantum starts no earlier than its window and windows are
 * served by earliest deadline. While the shares sum to at most 1, each job ends within one quantum of C / (β · F); a
 * share is a right and a limit alike (Eq. 6), so an idle server does not make a task faster than its lease says.
 */
export class ShareScheduler {
  readonly #clock: Clock;
  readonly #processor: Processor;
  readonly #cyclesPerInference: Cycles;
  readonly #jobs = new Set<Job>();
  #serving = false;
  /** Ends the wait for a job to become eligible, when an earlier one may have come. */
  #wake = new AbortController();

  constructor(clock: Clock, processor: Processor, cyclesPerInference: Cycles) {
    this.#clock = clock;
    this.#processor = processor;
    this.#cyclesPerInference = cyclesPerInference;
  }

  /** Executes work at a share of the server; resolves at its end, rejects when the processor fails. */
  execute(work: Cycles, share: number): Promise<Execution> {
    return new Promise((resolve, reject) => {
      const start = this.#clock.now();
      const quanta = inferenceCount(work, this.#cyclesPerInference);
      this.#jobs.add({ share, start, work, quanta, served: 0, finish: resolve, fail: reject });
      this.#wake.abort();
      if (!this.#serving) void this.#serve();
    });
  }

  async #serve(): Promise<void> {
    this.#serving = true;
    const { rate } = this.#processor;
    const begun = new Map<Job, Seconds>();
    while (this.#jobs.size > 0) {
      this.#wake = new AbortController();
      const job = nextJob(this.#jobs, this.#clock.now(), rate) as Job;
      const { eligible, deadline } = window(job, rate);
      if (eligible > this.#clock.now()) {
        await this.#clock.sleepUntil(eligible, this.#wake.signal).catch(() => undefined);
        continue;
      }
      if (!begun.has(job)) begun.set(job, this.#clock.now());
      let end: Seconds;
      try {
        end = await this.#processor.run(cycles(job.work / job.quanta), eligible);
      } catch (error) {
        this.#jobs.delete(job);
        begun.delete(job);
        job.fail(error);
        continue;
      }
      job.served += 1;
      if (job.served < job.quanta) continue;
      this.#jobs.delete(job);
      void this.#complete(job, seconds(Math.max(end, deadline)), begun.get(job) ?? job.start);
      begun.delete(job);
    }
    this.#serving = false;
  }

  async #complete(job: Job, end: Seconds, begun: Seconds): Promise<void> {
    await this.#clock.wakeAt(end);
    const delay = seconds(this.#clock.now() - job.start);
    const achievedShare = job.work / (this.#processor.rate * delay);
    job.finish({ queue: seconds(begun - job.start), delay, achievedShare });
  }
}
