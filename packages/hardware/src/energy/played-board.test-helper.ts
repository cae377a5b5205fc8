import { randomStream } from "@offloadlab/model";
import { type Seconds, seconds } from "@offloadlab/units";
import { Clock } from "../clock.ts";
import { BoardTree } from "../linux/board-tree.test-helper.ts";
import { openMeter } from "../linux/power-meter.ts";
import { PowerRecorder } from "./power-recorder.ts";

/** Power from a time on, W. */
export interface Step {
  readonly from: number;
  readonly power: number;
}

/** A clock whose time is when its sleeper wants to wake; others are told of the times that they wait for on the way. */
class PlayedClock extends Clock {
  #time = 0;
  #waits: { readonly at: number; readonly go: () => void }[] = [];
  readonly #show: (time: number) => void;

  /** @param show puts the board's files into the state of a time */
  constructor(show: (time: number) => void) {
    super(0, 1);
    this.#show = show;
  }

  override now(): Seconds {
    return seconds(this.#time);
  }

  override async sleepUntil(time: Seconds, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    for (let next = this.#next(time); next !== undefined; next = this.#next(time)) {
      this.#time = next.at;
      this.#waits.splice(this.#waits.indexOf(next), 1);
      next.go();
      await turn();
    }
    this.#time = time;
    this.#show(time);
  }

  #next(time: number) {
    const due = this.#waits.filter(({ at }) => at <= time);
    return due.reduce<(typeof due)[number] | undefined>(
      (first, each) => (first && first.at <= each.at ? first : each),
      undefined,
    );
  }

  /** Resolves at a time, before anything later. */
  at(time: number): Promise<void> {
    return new Promise((go) => this.#waits.push({ at: time, go }));
  }
}

/** Lets everyone who was just told of something act on it. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** ∫P dt of steps. */
export const energyOf = (steps: readonly Step[], from: number, to: number): number =>
  steps.reduce((sum, { from: start, power }, index) => {
    const end = steps[index + 1]?.from ?? Number.POSITIVE_INFINITY;
    return sum + power * Math.max(Math.min(end, to) - Math.max(start, from), 0);
  }, 0);

export interface PlayedBoard {
  readonly steps: readonly Step[];
  /** What the meter shows of a watt: its gain, unknown to the reader. */
  readonly gain: number;
  readonly gainError: number;
  readonly seed: number;
  /** How long the chip averages, s. */
  readonly conversion?: number;
}

/** What a script of a played board has. */
export interface Stage {
  readonly recorder: PowerRecorder;
  readonly tree: BoardTree;
  readonly folder: string;
  /** Resolves at a time of the board, from 0. */
  readonly at: (time: number) => Promise<void>;
}

/** The pace of the reader: 20 Hz. */
const period = seconds(0.05);

/**
 * Plays a power trace into the files of an INA226 and samples it through them, in no time: the chip averages
 * without gaps, at a phase of its own, and rounds to its steps; 5.1 V sag with the current.
 */
export const playBoard = async <T>(options: PlayedBoard, script: (stage: Stage) => Promise<T>): Promise<T> => {
  const { steps, gain, gainError, seed, conversion = 0.05 } = options;
  const tree = new BoardTree();
  const folder = tree.addIna226(3, "1-0040", { update_interval: Math.round(conversion * 1000) });
  const phase = randomStream(seed, "played-board").uniform(0, conversion);
  let shown = Number.NaN;
  const show = (time: number): void => {
    const end = phase + Math.floor((time - phase) / conversion) * conversion;
    if (end === shown) return;
    shown = end;
    const power = energyOf(steps, end - conversion, end) / conversion;
    const amperes = (5.1 - Math.sqrt(5.1 ** 2 - 4 * 0.06 * power)) / (2 * 0.06);
    tree.set(`${folder}/in1_input`, Math.round(Math.round((5.1 - 0.06 * amperes) / 1.25e-3) * 1.25));
    tree.set(`${folder}/curr1_input`, Math.round(gain * amperes * 1000));
  };
  const clock = new PlayedClock(show);
  show(0);
  const wiring = { kind: "ina226", address: "1-0040", shuntOhms: 0.02, gainError } as const;
  const recorder = new PowerRecorder(
    openMeter(tree.system, wiring, () => clock.now()),
    period,
    clock,
    () => {},
  );
  try {
    await recorder.open();
    return await script({ recorder, tree, folder, at: (time) => clock.at(time) });
  } finally {
    await recorder.close();
    tree.remove();
  }
};
