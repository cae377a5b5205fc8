import { devicesOf, presets, type Settings, settingsToFile } from "@offloadlab/model";
import { capacitance, hertz, seconds, watts } from "@offloadlab/units";
import { expect, it } from "vitest";
import { calibrate } from "./calibration.ts";
import { calibrationTable, calibrationText, readMeasuredWorld } from "./calibration-file.ts";
import type { RunContents } from "./check.ts";
import { simulatedRun } from "./replay/simulated-run.test-helper.ts";
import { trialSchedule } from "./schedule.ts";

const assumed = presets.testbed;
const latencies = { start: seconds(0.006), local: seconds(0), edge: seconds(0.008) };
/** What the boards really are: a link of four fifths, slower clocks, more energy. */
const real: Settings = {
  ...assumed,
  communities: assumed.communities.map((community) => ({
    ...community,
    signalToNoise: (1 + community.signalToNoise) ** 0.8 - 1,
    serverClock: hertz(0.9 * community.serverClock),
    serverPower: watts(1.2 * community.serverPower),
    device: {
      ...community.device,
      clock: { low: hertz(1.3e9), high: hertz(1.3e9) },
      k: capacitance(1.5 * community.device.k),
      transmitPower: { low: watts(20), high: watts(80) },
    },
  })),
};

/** A run on boards that are not what its settings say; uploads are judged by the settings. */
const run = async (): Promise<RunContents> => {
  const lived = await simulatedRun(real, trialSchedule(["greedy", "fair"], 4, 3), latencies);
  const rateOf = (settings: Settings, task: string): number => {
    const [, community = 0, device = 0] = task.split("-").map(Number);
    return devicesOf(settings, community - 1, lived.deviceSeed)[device - 1]?.fullRate ?? Number.NaN;
  };
  const journals = [...lived.journals].map(
    ([node, records]) =>
      [
        node,
        records.map((record) =>
          record.kind === "service"
            ? {
                ...record,
                theoreticalUploadSeconds:
                  (record.uploadSeconds * rateOf(real, record.task)) / rateOf(assumed, record.task),
              }
            : record,
        ),
      ] as const,
  );
  return { ...lived, settings: assumed, journals: new Map(journals) };
};

it("finds what boards are from what their tasks took, with an interval for each", async () => {
  const { settings, latencies: found, fits } = calibrate(await run());
  for (const [index, { signalToNoise, serverClock, serverPower, device }] of settings.communities.entries()) {
    const truth = real.communities[index] as (typeof real.communities)[number];
    expect(signalToNoise / truth.signalToNoise).toBeCloseTo(1, 2);
    expect(serverClock / truth.serverClock).toBeCloseTo(1, 2);
    expect(serverPower / truth.serverPower).toBeCloseTo(1, 2);
    expect(device.clock.low / truth.device.clock.low).toBeCloseTo(1, 2);
    expect(device.k / truth.device.k).toBeCloseTo(1, 2);
  }
  expect(found.start).toBeCloseTo(0.006, 4);
  expect(found.edge).toBeCloseTo(0.008, 3);
  const rate = fits.filter(({ what }) => what === "uplink rate");
  expect(rate).toHaveLength(3);
  for (const { ratio, halfWidth, n } of rate) {
    expect(Math.abs(ratio - 1 / 0.8)).toBeLessThanOrEqual(halfWidth + 1e-6);
    expect(n).toBeGreaterThan(20);
  }
});

it("leaves settings as they are that the run agrees with", async () => {
  const { settings, fits } = calibrate(await simulatedRun(assumed, trialSchedule(["greedy"], 3, 3)));
  for (const { ratio } of fits) expect(ratio).toBeCloseTo(1, 6);
  expect(settings.communities[0]?.signalToNoise).toBeCloseTo(assumed.communities[0]?.signalToNoise as number, 6);
});

it("fits nothing to a handful of tasks", async () => {
  const { trials, ...contents } = await simulatedRun(assumed, trialSchedule(["greedy"], 1, 3));
  const { settings, fits, latencies: found } = calibrate({ ...contents, trials: [] });
  expect(trials).toHaveLength(1);
  expect(fits).toEqual([]);
  expect(settings.communities).toEqual(assumed.communities);
  expect(found).toEqual({ start: 0, local: 0, edge: 0 });
});

it("writes settings that are read as they were fitted, and tells how well they fit", async () => {
  const calibration = calibrate(await run());
  const { settings, latencies: read } = readMeasuredWorld(calibrationText(calibration, "run-1"));
  expect(settings).toEqual(calibration.settings);
  expect(read).toEqual(calibration.latencies);
  expect(calibrationTable(calibration)).toMatch(/R1 +uplink rate +1\.25/);
  // The settings of an archive are settings as well.
  expect(readMeasuredWorld(JSON.stringify(settingsToFile(assumed)))).toEqual({
    settings: assumed,
    latencies: { start: 0, local: 0, edge: 0 },
  });
  expect(() => readMeasuredWorld("{}")).toThrow();
});
