import { deviceId, type Settings, serverId } from "@offloadlab/model";
import type {
  DeviceTelemetry,
  LiveCommunity,
  LiveDevice,
  LiveFederation,
  LiveLink,
  LiveRun,
  LiveSnapshot,
} from "@offloadlab/protocol";
import type { LabNodeState } from "./registry.ts";
import type { RunProgress } from "./run-progress.ts";

/** What the dashboard is sent: the run, and the communities of its settings with what their nodes last said. */
export const liveSnapshot = (
  progress: RunProgress | undefined,
  settings: Settings | undefined,
  find: (node: string) => LabNodeState | undefined,
  unixNow: number,
  federations: readonly LiveFederation[],
): LiveSnapshot => ({
  run: progress === undefined ? null : liveRun(progress, find, unixNow),
  communities: (settings?.communities ?? []).map((community, i): LiveCommunity => {
    const devices = Array.from({ length: community.deviceCount }, (_, j) =>
      liveDevice(deviceId(i, j), find(deviceId(i, j)), progress, {
        capacity: community.device.capacity,
        link: find(serverId(i))?.telemetry?.server?.links[deviceId(i, j)] ?? null,
      }),
    );
    const reward = devices.reduce((sum, { id }) => sum + (telemetryOf(find(id), progress)?.reward ?? 0), 0);
    const ended = devices.reduce((sum, { outcomes }) => sum + Object.values(outcomes).reduce((a, b) => a + b, 0), 0);
    const server = find(serverId(i));
    return {
      name: community.name,
      server: {
        id: serverId(i),
        online: server?.online === true,
        bandwidthInUseRatio: server?.telemetry?.server?.bandwidthInUseRatio ?? 0,
        computeInUseRatio: server?.telemetry?.server?.computeInUseRatio ?? 0,
        tasksInFlight: server?.telemetry?.server?.tasksInFlight ?? 0,
      },
      devices,
      reward,
      rewardPerTask: ended === 0 ? null : reward / ended,
    };
  }),
  results: progress?.results ?? [],
  federations,
  learning: progress?.learning ?? [],
  answers: progress?.answers ?? [],
});

/** Real seconds until the run's end: the estimate at the trial's start, less what has passed since. */
export const remainingSeconds = (progress: RunProgress, unixNow: number): number => {
  const since = progress.trialStartsAt === undefined ? 0 : Math.max(unixNow - progress.trialStartsAt, 0);
  return Math.max(progress.remainingSeconds - since, 0);
};

const liveRun = (progress: RunProgress, find: (node: string) => LabNodeState | undefined, unixNow: number): LiveRun => {
  const { id, name, state, reasons, trial, trialCount, trialStartsAt, epochSeconds, clockSpeed } = progress;
  const passed = trialStartsAt === undefined ? 0 : Math.max((unixNow - trialStartsAt) * clockSpeed, 0);
  return {
    id,
    name,
    state,
    reasons,
    trial: trial?.repeats ?? trial?.number ?? 0,
    trialCount,
    policy: trial?.policy ?? null,
    trialSeconds: passed,
    epochSeconds,
    remainingSeconds: remainingSeconds(progress, unixNow),
    clockSpeed,
    hardware: find("mec-1")?.hardware ?? "emulated",
  };
};

/** What a device last said of the current trial; what it said of the one before is past. */
const telemetryOf = (
  node: LabNodeState | undefined,
  progress: RunProgress | undefined,
): DeviceTelemetry | undefined => {
  const device = node?.telemetry?.device;
  return device?.trial === progress?.trial?.number ? device : undefined;
};

const liveDevice = (
  id: string,
  node: LabNodeState | undefined,
  progress: RunProgress | undefined,
  { capacity, link }: { readonly capacity: number; readonly link: LiveLink | null },
): LiveDevice => {
  const device = telemetryOf(node, progress);
  return {
    id,
    online: node?.online === true,
    // A trial begins with a full battery.
    chargeJoules: device?.chargeJoules ?? capacity,
    capacityJoules: capacity,
    queueLength: device?.queueLength ?? 0,
    processorBusy: device?.processorBusy === true,
    radioBusy: device?.radioBusy === true,
    generated: device?.generated ?? 0,
    link,
    outcomes: device?.outcomes ?? {},
  };
};
