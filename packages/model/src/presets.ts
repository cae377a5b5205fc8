import {
  type Bits,
  type BitsPerSecond,
  bits,
  bitsOf,
  bitsPerSecond,
  bytes,
  capacitance,
  count,
  cycles,
  type Hertz,
  hertz,
  joules,
  meters,
  type Seconds,
  seconds,
  watts,
} from "@offloadlab/units";
import type { CommunitySettings, Demand, DeviceSettings, Range, Settings, WorkloadSettings } from "./settings.ts";

const range = <Q extends number>(low: Q, high: Q): Range<Q> => ({ low, high });
const constant = <Q extends number>(value: Q): Range<Q> => range(value, value);

/** B_i, §V-A */
const bandwidth = hertz(15e6);

/** The signal-to-noise ratio that gives `rate` with the whole of a bandwidth, Eq. (1) solved for it. */
const signalToNoiseFor = (rate: BitsPerSecond, bandwidth: Hertz): number => 2 ** (rate / bandwidth) - 1;

/** The rate with the whole of B when a share 1/n of it uploads `dataSize` in `uploadDelay`. */
const fullRateFor = (dataSize: Bits, uploadDelay: Seconds, deviceCount: number): BitsPerSecond =>
  bitsPerSecond((deviceCount * dataSize) / uploadDelay);

const fromDecibels = (decibels: number): number => 10 ** (decibels / 10);

/** q_{i,t}, q_{i,e} and q_{i,p}: §V-A gives ranges, and no values; these are their ends and their middle. */
const demands: readonly Demand[] = [
  { delay: 0.5, energy: 1, success: 10 },
  { delay: 0.75, energy: 0.75, success: 15 },
  { delay: 1, energy: 0.5, success: 20 },
];

/** D in [0.5, 1.5] MB and C in [1, 1.2] gigacycles, §V-A */
const workload: WorkloadSettings = {
  arrivals: "poisson",
  tasksPerTimeSlot: 1,
  dataSize: range(bitsOf(bytes(0.5e6)), bitsOf(bytes(1.5e6))),
  work: range(cycles(1e9), cycles(1.2e9)),
};

/** f, k, b_max and e_t of §V-A, k = e^-26 read as 1e-26. */
const device: DeviceSettings = {
  clock: range(hertz(1e9), hertz(1.2e9)),
  k: capacitance(1e-26),
  // Fits Table III better than either range of §V-A: an effective constant that the paper does not explain.
  transmitPower: constant(watts(50)),
  // Any constant would do: only P · g / (σ² · l) can be identified, and that is `signalToNoise`.
  distance: constant(meters(10)),
  capacity: joules(120),
  harvested: joules(40),
};

/** [0.1, 0.4], which §V-A prints with a unit of data and, a thousand times as large, with one of power. */
const milliwatts100To400 = range(watts(0.1), watts(0.4));

const settings = (
  name: string,
  community: Omit<CommunitySettings, "name" | "demand" | "pathLossExponent">,
): Settings => ({
  name,
  timeSlot: seconds(1),
  subSlotsPerTimeSlot: count(4),
  timeSlotCount: count(20),
  deadline: seconds(1.5),
  readings: { shares: "kept", reward: "decision", observation: "extended" },
  communities: demands.map((demand, index) => ({ name: `R${index + 1}`, demand, pathLossExponent: 1, ...community })),
});

/** §V-A as the fit to Table III's heuristic rows reads it: 1 MB takes 0.23 s with 1/13 of 15 MHz. */
export const paper: Settings = settings("paper", {
  deviceCount: count(13),
  bandwidth,
  signalToNoise: signalToNoiseFor(fullRateFor(bitsOf(bytes(1e6)), seconds(0.23), 13), bandwidth),
  serverClock: hertz(20e9),
  serverPower: watts(100),
  device,
  workload,
});

/** §V-A with physics that agree with each other: D in Mbit, P in hundreds of milliwatts, 12 dB. */
export const paperPhysical: Settings = settings("paper-physical", {
  deviceCount: count(13),
  bandwidth,
  signalToNoise: fromDecibels(12),
  serverClock: hertz(20e9),
  serverPower: watts(100),
  device: { ...device, transmitPower: milliwatts100To400 },
  workload: { ...workload, dataSize: range(bits(0.5e6), bits(1.5e6)) },
});

/** The boards of §V-C, as the rehearsal emulates them: BCM2711 devices, four A57 cores at 2 GHz, 100 Mbit/s of uplink. */
export const testbed: Settings = settings("testbed", {
  deviceCount: count(3),
  bandwidth,
  signalToNoise: signalToNoiseFor(bitsPerSecond(100e6), bandwidth),
  serverClock: hertz(8e9),
  serverPower: watts(100),
  device: { ...device, clock: constant(hertz(1.5e9)), transmitPower: milliwatts100To400 },
  workload,
});

export type PresetName = "paper" | "paper-physical" | "testbed";

export const presets: Readonly<Record<PresetName, Settings>> = {
  paper,
  "paper-physical": paperPhysical,
  testbed,
};
