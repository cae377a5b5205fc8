import {
  type CommunitySettings,
  type Device,
  devicesOf,
  edgeDelay,
  localDelay,
  localEnergy,
  type Range,
  type Settings,
  type Task,
} from "@offloadlab/model";
import type { Latencies } from "@offloadlab/simulation";
import { capacitance, hertz, ratio, watts } from "@offloadlab/units";
import type { RunContents } from "./check.ts";
import { type LaboratoryCourse, laboratoryCourse } from "./replay/laboratory.ts";
import { measuredLatencies, medianLatencies } from "./replay/measured-latencies.ts";
import { type Slope, slopeOf, slopesOf } from "./slope.ts";

/** What was fitted of a community, from what, and how well. */
export interface Fit {
  readonly community: string;
  readonly what:
    | "uplink rate"
    | "device clock"
    | "server clock"
    | "energy of execution"
    | "energy of upload"
    | "energy of server";
  /** Measured over theory: 1 where the settings were right. */
  readonly ratio: number;
  /** Of its 95 % interval. */
  readonly halfWidth: number;
  /** Standard deviation of what was measured around the fit, in the measure's own unit. */
  readonly deviation: number;
  readonly unit: "s" | "J";
  readonly n: number;
}

/** The simulator's settings as a run of the laboratory has them. */
export interface Calibration {
  readonly settings: Settings;
  /** What tasks take beyond what the settings say. */
  readonly latencies: Latencies;
  readonly fits: readonly Fit[];
}

/** From fewer tasks nothing is fitted. */
const fewest = 10;

/** One executed task, as measured and as the settings have it. */
interface Executed {
  readonly device: Device;
  readonly theory: Task;
  readonly seconds: number;
  readonly energyJoules: number;
  /** Of an offloaded one. */
  readonly service: ReturnType<LaboratoryCourse["service"]>;
}

/**
 * Fits the simulator's settings to what a run has measured: rates of uplinks, clocks, energies, and the time that everything
 * else takes.
 *
 * The channel's noise is told as the deviation of the uploads: the simulator has none.
 */
export const calibrate = ({ settings, trials, journals, deviceSeed }: RunContents): Calibration => {
  const courses = settings.communities.map((_, index) =>
    trials.map(({ number }) => laboratoryCourse(settings, index, journals, number)),
  );
  const fits: Fit[] = [];
  const rates: number[] = [];
  const communities = settings.communities.map((community, index) => {
    const tasks = executedTasks(courses[index] ?? [], devicesOf(settings, index, deviceSeed));
    const found = fitsOf(community, tasks);
    fits.push(...found);
    rates.push(1 / ratioOf(found, "uplink rate"));
    return fitted(community, found);
  });
  const calibrated: Settings = { ...settings, name: `${settings.name}-calibrated`, communities };
  const devices = communities.map((_, index) => devicesOf(calibrated, index, deviceSeed));
  const latencies = medianLatencies(
    measuredLatencies(
      calibrated,
      devices,
      courses.map((list, index) => list.map((course) => withRate(course, rates[index] ?? 1))),
    ),
  );
  return { settings: calibrated, latencies, fits };
};

const executedTasks = (courses: readonly LaboratoryCourse[], devices: readonly Device[]): Executed[] =>
  courses.flatMap((course) =>
    course.tasks.flatMap((tasks, j) =>
      tasks.flatMap(({ task, placement, outcome, delaySeconds, waitingSeconds, energyJoules }, number): Executed[] => {
        const wasExecuted = outcome === "completed-local" || outcome === "completed-edge" || outcome === "late";
        if (placement === null || !wasExecuted || delaySeconds <= waitingSeconds) return [];
        const service = placement === "edge" ? course.service(task) : undefined;
        if (placement === "edge" && service === undefined) return [];
        const device = devices[j] as Device;
        const theory = course.generated[j]?.[number] as Task;
        return [{ device, theory, seconds: delaySeconds - waitingSeconds, energyJoules, service }];
      }),
    ),
  );

const fitsOf = (community: CommunitySettings, tasks: readonly Executed[]): Fit[] => {
  const { name, serverClock, serverPower } = community;
  const local = tasks.filter(({ service }) => service === undefined);
  const edge = tasks.flatMap((task) => (task.service === undefined ? [] : [{ ...task, service: task.service }]));
  const fit = (what: Fit["what"], unit: Fit["unit"], slope: Slope | undefined): Fit[] => {
    if (slope === undefined || slope.halfWidth === null || slope.deviation === null || slope.n < fewest) return [];
    // Parts of no energy to speak of have no slope to speak of.
    if (!(slope.slope > 0 && slope.halfWidth < slope.slope)) return [];
    const { slope: measured, halfWidth, deviation, n } = slope;
    return [{ community: name, what, ratio: measured, halfWidth, deviation, unit, n }];
  };
  const energies = slopesOf(
    edge.map(({ device, service, energyJoules }) => ({
      first: device.transmitPower * service.uploadSeconds,
      second: serverPower * service.executionSeconds,
      measured: energyJoules,
    })),
  );
  return [
    ...fit(
      "uplink rate",
      "s",
      slopeOf(edge.map(({ service: s }) => ({ theory: s.theoreticalUploadSeconds, measured: s.uploadSeconds }))),
    ),
    ...fit(
      "device clock",
      "s",
      slopeOf(
        local.map(({ device, theory, seconds }) => ({
          theory: localDelay(theory.work, device.clock),
          measured: seconds,
        })),
      ),
    ),
    ...fit(
      "server clock",
      "s",
      slopeOf(
        edge.map(({ theory, service }) => ({
          theory: edgeDelay(theory.work, ratio(service.computeShare), serverClock),
          measured: service.executionSeconds,
        })),
      ),
    ),
    ...fit(
      "energy of execution",
      "J",
      slopeOf(
        local.map(({ device, theory, energyJoules }) => ({
          theory: localEnergy(theory.work, device.clock, device.k),
          measured: energyJoules,
        })),
      ),
    ),
    ...fit("energy of upload", "J", energies?.[0]),
    ...fit("energy of server", "J", energies?.[1]),
  ];
};

const ratioOf = (fits: readonly Fit[], what: Fit["what"]): number => fits.find((fit) => fit.what === what)?.ratio ?? 1;

const fitted = (community: CommunitySettings, fits: readonly Fit[]): CommunitySettings => {
  const { device } = community;
  const [upload, local, server] = [
    ratioOf(fits, "uplink rate"),
    ratioOf(fits, "device clock"),
    ratioOf(fits, "server clock"),
  ];
  const scaled = <Q extends number>({ low, high }: Range<Q>, factor: number, make: (value: number) => Q): Range<Q> => ({
    low: make(low * factor),
    high: make(high * factor),
  });
  return {
    ...community,
    // Eq. (1) solved for the ratio that gives the rate in the middle of the distances.
    signalToNoise: (1 + community.signalToNoise) ** (1 / upload) - 1,
    serverClock: hertz(community.serverClock / server),
    serverPower: watts(community.serverPower * ratioOf(fits, "energy of server")),
    device: {
      ...device,
      clock: scaled(device.clock, 1 / local, hertz),
      // E = k f² C: a slower clock takes less, so that k has to make up for it.
      k: capacitance(device.k * ratioOf(fits, "energy of execution") * local ** 2),
      transmitPower: scaled(device.transmitPower, ratioOf(fits, "energy of upload"), watts),
    },
  };
};

/** A course whose uploads are judged by a rate that was fitted to them. @param rate over Eq. (1)'s */
const withRate = (course: LaboratoryCourse, rate: number): LaboratoryCourse => ({
  ...course,
  service: (task) => {
    const service = course.service(task);
    return service && { ...service, theoreticalUploadSeconds: service.theoreticalUploadSeconds / rate };
  },
});
