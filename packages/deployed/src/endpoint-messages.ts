import {
  type Action,
  type CommunitySettings,
  type Device,
  type Observation,
  place,
  placement,
  type Settings,
} from "@offloadlab/model";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";

/** What an endpoint is sent, by POST, in every sub-slot: all it needs, so that it need not remember anything. */
export interface ObservationMessage {
  readonly schema_version: 1;
  readonly deadline_seconds: number;
  readonly sub_slot_seconds: number;
  readonly community: {
    readonly name: string;
    readonly bandwidth_hertz: number;
    readonly server_clock_hertz: number;
    readonly server_power_watts: number;
    readonly demand: {
      readonly delay_per_second: number;
      readonly energy_per_capacity: number;
      readonly success_per_task: number;
    };
  };
  /** What tasks in flight hold, [0, 1]. */
  readonly bandwidth_in_use_ratio: number;
  readonly compute_in_use_ratio: number;
  readonly devices: readonly DeviceMessage[];
}

interface DeviceMessage {
  readonly id: string;
  readonly clock_hertz: number;
  readonly k_joule_square_seconds: number;
  readonly transmit_power_watts: number;
  /** With the whole of the bandwidth. */
  readonly full_rate_bits_per_second: number;
  readonly distance_meters: number;
  readonly capacity_joules: number;
  readonly charge_joules: number;
  readonly is_processor_busy: boolean;
  readonly is_radio_busy: boolean;
  readonly queue_length: number;
  /** The head of the line, null without one. */
  readonly task: { readonly data_size_bits: number; readonly work_cycles: number; readonly age_seconds: number } | null;
}

const share = Type.Number({ minimum: 0, maximum: 1 });
const DecisionsMessage = Type.Object({
  /** One for each device, in the order in which they were sent. */
  decisions: Type.Array(
    Type.Union([
      Type.Object({ placement: Type.Literal("edge"), bandwidth_share_ratio: share, compute_share_ratio: share }),
      Type.Object({ placement: Type.Enum(["local", "wait"]) }),
    ]),
  ),
});
type DecisionsMessage = Static<typeof DecisionsMessage>;
const validator = Compile(DecisionsMessage);

/** @param devices [n] in the order of the observation's entries */
export const observationMessage = (
  settings: Settings,
  community: CommunitySettings,
  devices: readonly Device[],
  observation: Observation,
): ObservationMessage => ({
  schema_version: 1,
  deadline_seconds: settings.deadline,
  sub_slot_seconds: settings.timeSlot / settings.subSlotsPerTimeSlot,
  community: {
    name: community.name,
    bandwidth_hertz: community.bandwidth,
    server_clock_hertz: community.serverClock,
    server_power_watts: community.serverPower,
    demand: {
      delay_per_second: community.demand.delay,
      energy_per_capacity: community.demand.energy,
      success_per_task: community.demand.success,
    },
  },
  bandwidth_in_use_ratio: observation.bandwidthInUse,
  compute_in_use_ratio: observation.computeInUse,
  devices: devices.map((device, j) => ({
    id: device.id,
    clock_hertz: device.clock,
    k_joule_square_seconds: device.k,
    transmit_power_watts: device.transmitPower,
    full_rate_bits_per_second: device.fullRate,
    distance_meters: observation.distance[j] as number,
    capacity_joules: device.capacity,
    charge_joules: observation.charge[j] as number,
    is_processor_busy: observation.processorBusy[j] === 1,
    is_radio_busy: observation.radioBusy[j] === 1,
    queue_length: observation.queueLength[j] as number,
    task:
      observation.waiting[j] === 1
        ? {
            data_size_bits: observation.dataSize[j] as number,
            work_cycles: observation.work[j] as number,
            age_seconds: observation.age[j] as number,
          }
        : null,
  })),
});

/**
 * Reads an endpoint's answer into an action.
 *
 * @returns what is wrong with it, undefined if nothing; the action is then filled
 */
export const readDecisions = (body: string, deviceCount: number, action: Action): string | undefined => {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    return `expected decisions in JSON, ${(error as Error).message}`;
  }
  if (!validator.Check(value)) return problemOf(value);
  const { decisions } = value;
  if (decisions.length !== deviceCount) return `expected ${deviceCount} decisions, got ${decisions.length}`;
  for (const [j, decision] of decisions.entries()) {
    if (decision.placement === "edge") {
      place(action, j, placement.edge, decision.bandwidth_share_ratio, decision.compute_share_ratio);
    } else place(action, j, decision.placement === "local" ? placement.local : placement.wait, 0, 0);
  }
  return undefined;
};

/** The first decision that is none, or what is there instead of them. */
const problemOf = (value: unknown): string => {
  const decisions = (value as Partial<DecisionsMessage> | null)?.decisions;
  if (!Array.isArray(decisions)) return `expected {"decisions": [...]}, got ${shown(value)}`;
  const index = decisions.findIndex((each) => !validator.Check({ decisions: [each] }));
  return (
    `expected decision ${index} to be {"placement": "local" or "wait"}, or {"placement": "edge", ` +
    `"bandwidth_share_ratio": 0 to 1, "compute_share_ratio": 0 to 1}, got ${shown(decisions[index])}`
  );
};

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
};
