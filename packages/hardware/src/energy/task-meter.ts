import { type Joules, joules, type Seconds, type Watts } from "@offloadlab/units";
import type { Baseline, PowerRecorder } from "./power-recorder.ts";
import type { Integral } from "./power-trace.ts";
import { type EnergyReading, emulatedReading, modelledReading } from "./reading.ts";

/** A task whose energy is being measured. */
export interface MeteredTask {
  /** The task draws no more, from now on. */
  stop(): void;
  /**
   * What it took, a sample after its end; stops it first.
   *
   * @param modelled what the model says it took
   */
  reading(modelled: Joules): Promise<EnergyReading>;
}

/** What measures the energy of tasks on a node. */
export interface TaskMeter {
  /**
   * A task begins, now.
   *
   * @param power what the model says it draws: tasks that run at the same time share what was measured in that proportion
   */
  begin(power: Watts): MeteredTask;
}

/** On emulated hardware a task takes what the model says. */
export const emulatedTaskMeter: TaskMeter = {
  begin: () => ({ stop: () => {}, reading: async (modelled) => emulatedReading(modelled) }),
};

/** A time in which the same tasks run. */
interface Segment {
  readonly from: Seconds;
  to: Seconds;
  readonly powers: ReadonlyMap<MeteredTask, Watts>;
}

/** A task's share of what its segment took, by the modelled powers of those that ran. */
const shareOf = (task: MeteredTask, { powers }: Segment): number => {
  const all = [...powers.values()].reduce<number>((sum, power) => sum + power, 0);
  return all === 0 ? 1 / powers.size : (powers.get(task) as Watts) / all;
};

/** Where the energy of a node went: three sums, each of its own. They agree unless something counts twice, or not at all. */
export interface EnergyAccount {
  /** Over the whole time, in one piece. */
  readonly total: Joules;
  /** Above the idle power, the parts of all tasks added up. */
  readonly tasks: Joules;
  /** What was drawn while no task ran, and the idle power while tasks ran. */
  readonly idle: Joules;
  /** Share of the time that was observed, [0, 1]. */
  readonly coverage: number;
}

/** Of a share about which nothing is known: uniform in [0, 1]. */
const unknownShareDeviation = 1 / Math.sqrt(12);

/**
 * Measures what tasks draw above the idle power, each over its own window.
 *
 * Time is cut where a task begins or ends. In each piece the energy above the idle power belongs to the tasks that run;
 * several share it in proportion to their modelled powers. So the tasks' energies and the idle energy add up to what was
 * measured, to the last joule.
 *
 * The 95 % interval: the meter's gain and its steps (off in one direction all the time), the idle power's own, the power
 * between samples and in gaps (independent from interval to interval), and what two tasks of one time may have shared otherwise.
 */
export class MeasuredTaskMeter implements TaskMeter {
  readonly #recorder: PowerRecorder;
  readonly #baseline: Baseline;
  readonly #segments: Segment[];

  constructor(recorder: PowerRecorder, baseline: Baseline) {
    this.#recorder = recorder;
    this.#baseline = baseline;
    const now = recorder.clock.now();
    this.#segments = [{ from: now, to: now, powers: new Map() }];
  }

  begin(power: Watts): MeteredTask {
    let end: Seconds | undefined;
    let last: number | undefined;
    const task: MeteredTask = {
      stop: () => {
        end ??= this.#change((powers) => powers.delete(task));
        last ??= this.#segments.length - 1;
      },
      reading: async (modelled) => {
        task.stop();
        const own = this.#segments.slice(first, last);
        await this.#recorder.reached(end as Seconds);
        return this.#readingOf(task, own) ?? modelledReading(modelled);
      },
    };
    this.#change((powers) => powers.set(task, power));
    const first = this.#segments.length - 1;
    return task;
  }

  /** Where the energy went since this meter was made; while no task runs it is complete. */
  async account(): Promise<EnergyAccount> {
    const end = this.#change(() => undefined);
    await this.#recorder.reached(end);
    const whole = this.#recorder.trace.integrate((this.#segments[0] as Segment).from, end);
    if (whole === undefined) return { total: joules(0), tasks: joules(0), idle: joules(0), coverage: 0 };
    let [tasks, idle] = [0, 0];
    for (const segment of this.#segments) {
      const integral = this.#integrate(segment);
      if (integral === undefined) continue;
      idle += segment.powers.size === 0 ? integral.energy : this.#baseline.power * integral.duration;
      for (const task of segment.powers.keys()) tasks += shareOf(task, segment) * this.#aboveIdle(integral);
    }
    const coverage = whole.duration === 0 ? 0 : whole.covered / whole.duration;
    return { total: joules(whole.energy), tasks: joules(tasks), idle: joules(idle), coverage };
  }

  /** Ends the current segment now and begins the next one. */
  #change(edit: (powers: Map<MeteredTask, Watts>) => unknown): Seconds {
    const now = this.#recorder.clock.now();
    const current = this.#segments.at(-1) as Segment;
    current.to = now;
    const powers = new Map(current.powers);
    edit(powers);
    this.#segments.push({ from: now, to: now, powers });
    return now;
  }

  #integrate({ from, to }: Segment): Integral | undefined {
    return this.#recorder.trace.integrate(from, to);
  }

  #aboveIdle({ energy, duration }: Integral): number {
    return energy - this.#baseline.power * duration;
  }

  #readingOf(task: MeteredTask, segments: readonly Segment[]): EnergyReading | undefined {
    let [energy, steady, random, shared, covered, duration] = [0, 0, 0, 0, 0, 0];
    for (const segment of segments) {
      const integral = this.#integrate(segment);
      if (integral === undefined) return undefined;
      const share = shareOf(task, segment);
      const above = this.#aboveIdle(integral);
      energy += share * above;
      steady += share * (integral.resolution + this.#baseline.uncertainty * integral.duration);
      random += share ** 2 * integral.variance;
      if (segment.powers.size > 1) shared += unknownShareDeviation * Math.abs(above);
      covered += integral.covered;
      duration += integral.duration;
    }
    if (covered === 0) return undefined;
    random += this.#recorder.trace.edgeVariance;
    const gain = this.#recorder.meter.gainError * Math.abs(energy);
    return {
      joules: joules(energy),
      uncertainty: joules(Math.hypot(gain, steady, 2 * Math.sqrt(random), 2 * shared)),
      coverage: Math.min(covered / duration, 1),
      method: this.#recorder.meter.kind,
    };
  }
}
