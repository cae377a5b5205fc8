import { type Seconds, seconds, type Watts } from "@offloadlab/units";

/** One reading of a power meter. */
export interface PowerSample {
  /** On the monotonic clock, when it was read; in a trace the middle of what the value is a mean over. */
  readonly time: Seconds;
  readonly power: Watts;
  /** Half of what one step of voltage and one of current change the power by. */
  readonly resolution: Watts;
  /** How long one conversion takes. */
  readonly conversion: Seconds;
}

/** What a trace says of a part of its time. Integrals of parts that follow each other add up, field by field. */
export interface Integral {
  /** J */
  readonly energy: number;
  /** J, of the part that is covered. */
  readonly observed: number;
  /** s */
  readonly duration: number;
  /** Part of the duration in which samples follow each other closely, s. */
  readonly covered: number;
  /** J², of what the power may have done between samples, and of when exactly they were taken. */
  readonly variance: number;
  /** J: by how much the steps of voltage and current may be off, all in one direction. */
  readonly resolution: number;
}

const nothing: Integral = { energy: 0, observed: 0, duration: 0, covered: 0, variance: 0, resolution: 0 };

/** Adds integrals. */
const sumOf = (parts: readonly Integral[]): Integral =>
  parts.reduce(
    (sum, part) => ({
      energy: sum.energy + part.energy,
      observed: sum.observed + part.observed,
      duration: sum.duration + part.duration,
      covered: sum.covered + part.covered,
      variance: sum.variance + part.variance,
      resolution: sum.resolution + part.resolution,
    }),
    nothing,
  );

/** Periods, or conversions, without a sample after which the time between two counts as a gap. */
const gapPeriods = 3;

/**
 * A chip that converts for less than half of a period does not see what comes and goes between: so much more variance
 * held on random traces with steps of 20 ms and more, read every 50 ms.
 */
const snapshotFactor = 1.5;

/** So many samples are an hour at 18 Hz. */
const capacity = 1 << 16;

/** The power at one point over time, as it was sampled; energies are areas below its straight lines (trapezoids). */
export class PowerTrace {
  /** In which the meter is read. */
  readonly period: Seconds;
  #samples: PowerSample[] = [];
  #lowest = Number.POSITIVE_INFINITY;
  #highest = Number.NEGATIVE_INFINITY;

  constructor(period: Seconds) {
    this.period = period;
  }

  /** Of the last sample; 0 before the first. */
  get conversion(): Seconds {
    return this.#samples.at(-1)?.conversion ?? seconds(0);
  }

  /** When the last sample was taken; minus infinity before the first. */
  get end(): number {
    return this.#samples.at(-1)?.time ?? Number.NEGATIVE_INFINITY;
  }

  /** Samples in a time, in order. */
  between(from: Seconds, to: Seconds): readonly PowerSample[] {
    return this.#samples.slice(this.#after(from), this.#after(to));
  }

  /**
   * Adds a sample as it was read. A value that is read again before the chip has another one says nothing new.
   *
   * The value is a mean over one conversion, which ended when the chip liked: somewhere in the last period, or in the last
   * conversion where that is shorter.
   */
  add(read: PowerSample): void {
    const { conversion, power } = read;
    const age = Math.min(conversion, this.period);
    const sample = { ...read, time: seconds(read.time - conversion / 2 - age / 2) };
    const isAgain = power === this.#samples.at(-1)?.power && sample.time < this.end + 0.9 * conversion;
    if (sample.time <= this.end || isAgain) return;
    this.#samples.push(sample);
    this.#lowest = Math.min(this.#lowest, sample.power);
    this.#highest = Math.max(this.#highest, sample.power);
    if (this.#samples.length > 2 * capacity) this.#samples = this.#samples.slice(-capacity);
  }

  /**
   * Energy from one time to another, or undefined when there is no sample at all.
   *
   * Between two samples with powers P and P + ΔP, h apart, the power may have changed at any moment. Over the whole of h
   * that leaves a standard deviation of ΔP h / √12, over a part w of it at most ΔP w / 2. In a gap, and outside the
   * samples, the power may have been anything that this trace has seen: the straight line stands, with that much more
   * variance, and the time does not count as covered.
   */
  integrate(from: Seconds, to: Seconds): Integral | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    const parts: Integral[] = [];
    if (from < first.time) parts.push(this.#outside(first, Math.min(to, first.time) - from));
    for (let index = Math.max(this.#after(from) - 1, 0); index + 1 < this.#samples.length; index += 1) {
      const [left, right] = [this.#samples[index] as PowerSample, this.#samples[index + 1] as PowerSample];
      if (left.time >= to) break;
      parts.push(this.#between(left, right, Math.max(from, left.time), Math.min(to, right.time)));
    }
    if (to > last.time) parts.push(this.#outside(last, to - Math.max(from, last.time)));
    return sumOf(parts);
  }

  /**
   * What both edges of a window add to its variance, J², where a chip averages over more than a period: how the energy of
   * the conversion that an edge cuts is spread in it is not known. Of a power that has only two levels, R apart, an edge
   * at any place in a conversion of length d is off by R d / √30 (root mean square), when all of one level comes first.
   */
  get edgeVariance(): number {
    const { conversion } = this;
    return conversion <= this.period ? 0 : (2 * ((this.#highest - this.#lowest) * conversion) ** 2) / 30;
  }

  #between(left: PowerSample, right: PowerSample, from: number, to: number): Integral {
    const [height, step] = [right.time - left.time, right.power - left.power];
    const width = Math.max(to - from, 0);
    const middle = left.power + (step * ((from + to) / 2 - left.time)) / height;
    const part = {
      energy: middle * width,
      duration: width,
      resolution: ((left.resolution + right.resolution) / 2) * width,
    };
    if (height > gapPeriods * Math.max(this.period, right.conversion))
      return { ...part, observed: 0, covered: 0, variance: this.#unknown(width) };
    const between = width === height ? (step * width) ** 2 / 12 : (step * width) ** 2 / 4;
    const unseen = right.conversion < this.period / 2 ? snapshotFactor : 1;
    const jitter = (step * Math.min(right.conversion, this.period) * (width / height)) ** 2 / 12;
    return { ...part, observed: part.energy, covered: width, variance: between * unseen + jitter };
  }

  #outside(nearest: PowerSample, width: number): Integral {
    const resolution = nearest.resolution * width;
    return {
      energy: nearest.power * width,
      observed: 0,
      duration: width,
      covered: 0,
      variance: this.#unknown(width),
      resolution,
    };
  }

  #unknown(width: number): number {
    return ((this.#highest - this.#lowest) * width) ** 2 / 12;
  }

  /** Index of the first sample later than a time. */
  #after(time: number): number {
    let [low, high] = [0, this.#samples.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#samples[middle] as PowerSample).time <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
