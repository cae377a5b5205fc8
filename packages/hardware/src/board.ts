import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "@offloadlab/protocol";
import { type Hertz, type Joules, seconds } from "@offloadlab/units";
import { monotonicClock, PowerRecorder } from "./energy/power-recorder.ts";
import { type EnergyAccount, emulatedTaskMeter, MeasuredTaskMeter, type TaskMeter } from "./energy/task-meter.ts";
import { emulatedHarvest, type Harvest, measuredHarvest } from "./harvest.ts";
import { type BoardConfig, wiringOf } from "./linux/board-config.ts";
import { type BoardState, readBoardState, readCpuClock } from "./linux/board-state.ts";
import { openMeter } from "./linux/power-meter.ts";
import { SystemTree } from "./linux/system-tree.ts";

/** Opens what a daemon's configuration asks for. @throws Failure as `openLinuxBoard`, or `config/invalid` without `board` */
export const openBoard = async (
  { hardware = "emulated", board }: { readonly hardware?: "emulated" | "linux"; readonly board?: BoardConfig },
  say: (level: "info" | "warn", message: string) => void,
): Promise<Board> => {
  if (hardware === "emulated") return emulatedBoard;
  if (board === undefined)
    throw new Failure("config/invalid", "`hardware: linux` needs `board`, how the meters are wired, got nothing");
  return openLinuxBoard(board, say);
};

/** What one trial needs of a board. */
export interface TrialBoard {
  /** Where the battery's drain comes from. */
  readonly drain: "emulated" | "measured";
  readonly meter: TaskMeter;
  readonly harvest: Harvest;
  /** Where the energy went since the trial began; null where nobody measured. */
  account(): Promise<(EnergyAccount & { readonly failedReadings: number }) | null>;
}

/** The hardware below a daemon: real or emulated. */
export interface Board {
  readonly kind: "emulated" | "linux";
  /** For the archive: where every joule comes from. */
  readonly environment: Readonly<Record<string, unknown>>;
  /**
   * Gets ready to measure a trial; no task runs now.
   *
   * @param harvested e_t where it is emulated
   */
  beginTrial(harvested: Joules): Promise<TrialBoard>;
  /** Clock and number of the processors that are online; null where they are emulated. */
  readonly processors: { readonly clock: Hertz; readonly count: number } | null;
  /** The state of this moment; null where there is no board. */
  state(): Promise<BoardState | null>;
  close(): Promise<void>;
}

/** No board of this kind has been checked against an independent meter yet; docs/lab.md says how. */
const hardwareVerified = false;

/** One trial on hardware that is as the paper's model has it; e_t comes in every sub-slot. */
export const emulatedTrialBoard = (harvested: Joules): TrialBoard => ({
  drain: "emulated",
  meter: emulatedTaskMeter,
  harvest: emulatedHarvest(harvested),
  account: async () => null,
});

/** A board that is as the paper's model has it. */
export const emulatedBoard: Board = {
  kind: "emulated",
  processors: null,
  environment: { hardware_verified: hardwareVerified, energy_source: "emulated", harvest_source: "emulated" },
  beginTrial: async (harvested) => emulatedTrialBoard(harvested),
  state: async () => null,
  close: async () => {},
};

/** Over which the idle power is measured before each trial, or over more with a meter that is slow. */
const idleSeconds = seconds(2);

/**
 * Opens a board's meters.
 *
 * @throws Failure `config/invalid` for wrong wiring, `sensor/...` when a meter does not answer or the clock is not pinned
 */
export const openLinuxBoard = async (
  config: BoardConfig,
  say: (level: "info" | "warn", message: string) => void,
): Promise<Board> => {
  const tree = new SystemTree(config.system_root);
  const cpu = await readCpuClock(tree);
  // Only a Jetson has power modes.
  const mode = await tree.output("nvpmodel", ["-q"]).catch(() => undefined);
  if (!cpu.pinned)
    throw new Failure(
      "sensor/implausible",
      `${tree.path("sys/devices/system/cpu")}: expected a pinned clock, got governor ${cpu.governor}; firmware-scripts pin it`,
    );
  const recorders: PowerRecorder[] = [];
  const record = async (meter: BoardConfig["power_meter"]): Promise<PowerRecorder> => {
    const clock = monotonicClock();
    const recorder = new PowerRecorder(
      openMeter(tree, wiringOf(meter), () => clock.now()),
      seconds(config.sample_period_seconds),
      clock,
      say,
    );
    await recorder.open();
    recorders.push(recorder);
    return recorder;
  };
  const harvest = config.harvest ?? { source: "emulated" };
  const close = async (): Promise<void> => {
    await Promise.all(recorders.map((recorder) => recorder.close()));
  };
  try {
    const load = await record(config.power_meter);
    const receiver =
      harvest.source === "emulated"
        ? undefined
        : { recorder: await record(harvest.power_meter), source: harvest.source };
    const factor = harvest.source === "scaled" ? harvest.factor : 1;
    return {
      kind: "linux",
      processors: { clock: cpu.rate, count: cpu.online.length },
      environment: {
        hardware_verified: hardwareVerified,
        energy_source: "measured",
        power_meter: config.power_meter,
        sample_period_seconds: config.sample_period_seconds,
        harvest_source: harvest.source,
        ...(receiver === undefined ? {} : { harvest }),
        clock_hertz: cpu.rate,
        clock_governor: cpu.governor,
        power_mode: mode === undefined ? null : (/NV Power Mode: (\S+)/.exec(mode)?.[1] ?? null),
        processors_online: cpu.online,
      },
      beginTrial: async (harvested) => {
        const idle = seconds(Math.max(idleSeconds, load.shortestIdle));
        // None of what the last trial drew is in it.
        await sleep((idle + load.lag) * 1000);
        const meter = new MeasuredTaskMeter(load, load.idleOver(idle));
        const failed = load.failures;
        return {
          drain: "measured",
          meter,
          harvest:
            receiver === undefined
              ? emulatedHarvest(harvested)
              : measuredHarvest(receiver.recorder, receiver.source, factor),
          account: async () => ({ ...(await meter.account()), failedReadings: load.failures - failed }),
        };
      },
      state: () => readBoardState(tree, config.wifi_interface),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
