import { randomStream } from "@offloadlab/model";
import { joules, seconds, watts } from "@offloadlab/units";
import { expect, it } from "vitest";
import { energyOf, type PlayedBoard, playBoard, type Stage, type Step } from "./played-board.test-helper.ts";
import { MeasuredTaskMeter } from "./task-meter.ts";

const idle = 2.7;
/** Without load, before the first task: the idle power is measured there. */
const quiet = 3;

interface Window {
  readonly from: number;
  readonly to: number;
}

/** A board's power: idle, then load that comes and goes, sometimes with a task and sometimes within one. */
const draw = (seed: number, count: number): { windows: Window[]; steps: Step[] } => {
  const random = randomStream(seed, "task-meter");
  const windows: Window[] = [];
  const steps: Step[] = [{ from: -1, power: idle }];
  for (let at = quiet + random.uniform(0.1, 0.5); windows.length < count; ) {
    const to = at + random.uniform(0.2, 1.2);
    windows.push({ from: at, to });
    const level = idle + random.uniform(0.3, 3.5);
    // In step with the task, or up to 0.15 s off: other work of the board.
    const shift = random.uniform(0, 1) < 0.5 ? 0 : random.uniform(0, 0.15);
    steps.push({ from: at + shift, power: level });
    for (let inside = at + shift + 0.02; inside < to - 0.02; inside += random.uniform(0.02, 0.6))
      if (random.uniform(0, 1) < 0.7) steps.push({ from: inside + 0.01, power: idle + random.uniform(0.2, 4) });
    steps.push({ from: to, power: idle });
    at = to + random.uniform(0.02, 0.4);
  }
  return { windows, steps: steps.sort((a, b) => a.from - b.from) };
};

/** Measures tasks, one after the other or overlapping, on one board; with each task's modelled power. */
const measure = (
  board: PlayedBoard,
  windows: readonly Window[],
  spoil: (stage: Stage) => Promise<void> = async () => {},
) =>
  playBoard(board, async (stage) => {
    const { recorder, at } = stage;
    await at(quiet);
    const meter = new MeasuredTaskMeter(recorder, recorder.idleOver(seconds(2)));
    const spoilt = spoil(stage);
    const readings = windows.map(async ({ from, to }, index) => {
      await at(from);
      const task = meter.begin(watts(1 + (index % 3)));
      await at(to);
      task.stop();
      return task.reading(joules(1));
    });
    const end = Math.max(...windows.map(({ to }) => to)) + 0.5;
    const account = at(end).then(() => meter.account());
    await spoilt;
    return { readings: await Promise.all(readings), account: await account, from: quiet, to: end };
  });

/** The times in which at least one window is open. */
const unionOf = (windows: readonly Window[]): Window[] => {
  const union: { from: number; to: number }[] = [];
  for (const { from, to } of [...windows].sort((a, b) => a.from - b.from)) {
    const last = union.at(-1);
    if (last === undefined || from > last.to) union.push({ from, to });
    else last.to = Math.max(last.to, to);
  }
  return union;
};

/** Of mean 0 and deviation 1. */
const normal = (random: ReturnType<typeof randomStream>): number =>
  Math.sqrt(-2 * Math.log(random.uniform(1e-9, 1))) * Math.cos(2 * Math.PI * random.uniform(0, 1));

it.each([
  [0.0022, 0.15],
  [0.05, 0.1],
  // Longer than most of the tasks: this says little of one, and says so.
  [0.422, 0.8],
])(
  "of 1,000 random windows on 20 boards at least 95 % are right within their uncertainty (means of %f s)",
  async (conversion, usual) => {
    let right = 0;
    let all = 0;
    const relative: number[] = [];
    const random = randomStream(7, "gain");
    for (let seed = 1; seed <= 20; seed += 1) {
      const { windows, steps } = draw(seed, 50);
      // 95 % within 1 %.
      const { readings } = await measure(
        { seed, steps, gain: 1 + 0.005 * normal(random), gainError: 0.01, conversion },
        windows,
      );
      for (const [index, { joules: energy, uncertainty, coverage, method }] of readings.entries()) {
        const { from, to } = windows[index] as Window;
        const truth = energyOf(steps, from, to) - idle * (to - from);
        all += 1;
        right += Math.abs(energy - truth) <= uncertainty ? 1 : 0;
        relative.push(uncertainty / truth);
        expect([coverage, method]).toEqual([1, "ina226"]);
      }
    }
    const median = relative.sort((a, b) => a - b)[relative.length >> 1] as number;
    expect(all).toBe(1000);
    expect(right / all).toBeGreaterThanOrEqual(0.95);
    expect(median).toBeLessThan(usual);
  },
  60_000,
);

it("of a steady load the gain is what is not known: 60 boards, each with its own", async () => {
  const random = randomStream(9, "steady");
  let right = 0;
  for (let seed = 1; seed <= 60; seed += 1) {
    const steps = [
      { from: -1, power: idle },
      { from: 3.2, power: 6.5 },
      { from: 7.2, power: idle },
    ];
    const gain = 1 + 0.005 * normal(random);
    const { readings } = await measure({ seed, steps, gain, gainError: 0.01 }, [{ from: 3.6, to: 7 }]);
    right += Math.abs((readings[0]?.joules ?? 0) - 3.8 * 3.4) <= (readings[0]?.uncertainty ?? 0) ? 1 : 0;
    expect((readings[0]?.uncertainty ?? 0) / (3.8 * 3.4)).toBeLessThan(0.013);
  }
  expect(right / 60).toBeGreaterThanOrEqual(0.95);
}, 30_000);

it("energy is conserved: the tasks' energies, overlapping as they may, and the idle energy are what was measured", async () => {
  const { steps } = draw(3, 20);
  const random = randomStream(3, "overlaps");
  const windows = Array.from({ length: 30 }, () => {
    const from = random.uniform(quiet, 15);
    return { from, to: from + random.uniform(0.05, 3) };
  });
  const { readings, account, from, to } = await measure({ seed: 3, steps, gain: 1, gainError: 0.01 }, windows);
  const tasks = readings.reduce((sum, reading) => sum + reading.joules, 0);
  expect(Math.abs(tasks - account.tasks)).toBeLessThan(1e-9);
  expect(Math.abs(account.tasks + account.idle - account.total)).toBeLessThan(1e-9);
  expect(Math.abs(account.total / energyOf(steps, from, to) - 1)).toBeLessThan(0.01);
  // And each of both is what the board drew, inside and outside of the windows.
  const busy = unionOf(windows);
  const inside = busy.reduce((sum, window) => sum + energyOf(steps, window.from, window.to), 0);
  const below = busy.reduce((sum, window) => sum + idle * (window.to - window.from), 0);
  expect(Math.abs(account.tasks / (inside - below) - 1)).toBeLessThan(0.03);
  expect(Math.abs(account.idle / (energyOf(steps, from, to) - inside + below) - 1)).toBeLessThan(0.02);
  expect(account.coverage).toBe(1);
  // What one of two tasks at a time has taken is known less well than what both have.
  const alone = await measure({ seed: 3, steps, gain: 1, gainError: 0.01 }, windows.slice(0, 1));
  expect(readings[0]?.uncertainty).toBeGreaterThan(2 * (alone.readings[0]?.uncertainty ?? 0));
});

it("tasks of the same time share what was measured as their modelled powers are", async () => {
  const steps = [
    { from: -1, power: 3 },
    { from: 5, power: 6 },
    { from: 6, power: 3 },
  ];
  const windows = [0, 1].map(() => ({ from: 4.5, to: 6.5 }));
  const { readings } = await measure({ seed: 1, steps, gain: 1, gainError: 0 }, windows);
  // 1 W and 2 W in the model, 3 J above the idle power.
  expect(readings[0]?.joules).toBeCloseTo(1, 1);
  expect(readings[1]?.joules).toBeCloseTo(2, 1);
});

it("while the meter does not answer, coverage falls and the interval widens to hold the truth", async () => {
  const steps = [
    { from: -1, power: 3 },
    { from: 5, power: 6 },
    { from: 7, power: 3 },
  ];
  const windows = [{ from: 5.2, to: 6.6 }];
  const board = { seed: 1, steps, gain: 1, gainError: 0.01 };
  const whole = await measure(board, windows);
  const holed = await measure(board, windows, async ({ tree, folder, at }) => {
    await at(5.5);
    tree.breakFile(`${folder}/curr1_input`);
    await at(6.2);
    tree.remove(`${folder}/curr1_input`);
    tree.write({ [`${folder}/curr1_input`]: 1190 });
  });
  const [whole0, holed0] = [whole.readings[0], holed.readings[0]];
  expect(whole0?.coverage).toBe(1);
  expect(holed0?.coverage).toBeGreaterThan(0.35);
  expect(holed0?.coverage).toBeLessThan(0.65);
  expect(holed0?.uncertainty).toBeGreaterThan(3 * (whole0?.uncertainty ?? 0));
  expect(Math.abs((holed0?.joules ?? 0) - 3 * 1.4)).toBeLessThan(holed0?.uncertainty ?? 0);
});

it("a task of which nothing was observed has the model's energy, labelled so, and nothing is known of it", async () => {
  const steps = [{ from: -1, power: 3 }];
  const { readings } = await measure(
    { seed: 1, steps, gain: 1, gainError: 0 },
    [{ from: 8, to: 8.5 }],
    async (stage) => {
      await stage.at(5);
      stage.tree.remove("sys");
    },
  );
  expect(readings).toEqual([{ joules: 1, uncertainty: 1, coverage: 0, method: "modelled" }]);
});
