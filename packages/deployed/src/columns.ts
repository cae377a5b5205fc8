import { prospectOf } from "@offloadlab/learning";
import type { CommunitySettings, Device, Observation, Readings } from "@offloadlab/model";

/** What of a device a model can be shown, by the name that its card uses. */
export const deviceColumns = {
  data_size_bits: (j, { dataSize }) => dataSize[j],
  work_cycles: (j, { work }) => work[j],
  age_seconds: (j, { age }) => age[j],
  charge_joules: (j, { charge }) => charge[j],
  distance_meters: (j, { distance }) => distance[j],
  is_waiting: (j, { waiting }) => waiting[j],
  is_processor_busy: (j, { processorBusy }) => processorBusy[j],
  is_radio_busy: (j, { radioBusy }) => radioBusy[j],
  queue_length: (j, { queueLength }) => queueLength[j],
  clock_hertz: (j, _, devices) => devices[j]?.clock,
  transmit_power_watts: (j, _, devices) => devices[j]?.transmitPower,
  full_rate_bits_per_second: (j, _, devices) => devices[j]?.fullRate,
  local_delay_seconds: (j, observation, _, ...place) => prospectOf(observation, j, ...place).local,
  upload_delay_with_all_left_seconds: (j, observation, _, ...place) => prospectOf(observation, j, ...place).upload,
  edge_delay_with_all_left_seconds: (j, observation, _, ...place) => prospectOf(observation, j, ...place).execution,
  succeeds_locally: (j, observation, _, ...place) => Number(prospectOf(observation, j, ...place).succeedsLocally),
} as const satisfies Record<
  string,
  (
    device: number,
    observation: Observation,
    devices: readonly Device[],
    community: CommunitySettings,
    deadline: number,
  ) => number | undefined
>;
export type DeviceColumn = keyof typeof deviceColumns;

/** What of a community a model can be shown. */
export const communityColumns = {
  bandwidth_left_hertz: ({ bandwidthInUse }, { bandwidth }) => (1 - bandwidthInUse) * bandwidth,
  server_clock_left_hertz: ({ computeInUse }, { serverClock }) => (1 - computeInUse) * serverClock,
  demand_delay_per_second: (_, { demand }) => demand.delay,
  demand_energy_per_capacity: (_, { demand }) => demand.energy,
  demand_success_per_task: (_, { demand }) => demand.success,
} as const satisfies Record<string, (observation: Observation, community: CommunitySettings) => number>;
export type CommunityColumn = keyof typeof communityColumns;

/** A number that a model is shown: what it is, what it is divided by, and which quotient is shown for larger ones too. */
export interface Column<Name> {
  readonly name: Name;
  readonly divisor: number;
  readonly limit?: number;
}

/** What a model is shown of a community, and in which rows. */
export interface ObservationLayout {
  /** `set`: a row for each device, the community's columns behind its own; `flat`: one row, device after device. */
  readonly networks: "set" | "flat";
  readonly deviceColumns: readonly Column<DeviceColumn>[];
  readonly communityColumns: readonly Column<CommunityColumn>[];
}

/** Numbers of a row. */
export const layoutWidth = ({ networks, deviceColumns, communityColumns }: ObservationLayout, deviceCount: number) =>
  deviceColumns.length * (networks === "set" ? 1 : deviceCount) + communityColumns.length;

/**
 * What `writeFeatures` shows an agent of a community, as columns; a test holds both to the same numbers.
 *
 * @param deadline T_d
 */
export const agentLayout = (
  reading: Readings["observation"],
  networks: ObservationLayout["networks"],
  { workload, device }: CommunitySettings,
  deadline: number,
): ObservationLayout => ({
  networks,
  deviceColumns: [
    { name: "data_size_bits", divisor: workload.dataSize.high, limit: 1 },
    { name: "work_cycles", divisor: workload.work.high },
    { name: "charge_joules", divisor: device.capacity },
    { name: "distance_meters", divisor: device.distance.high },
    ...(reading === "paper" ? [] : extendedColumns(deadline)),
  ],
  communityColumns: [
    { name: "bandwidth_left_hertz", divisor: 15e6 },
    { name: "server_clock_left_hertz", divisor: 20e9 },
    { name: "demand_delay_per_second", divisor: 1 },
    { name: "demand_energy_per_capacity", divisor: 1 },
    { name: "demand_success_per_task", divisor: 20 },
  ],
});

const extendedColumns = (deadline: number): Column<DeviceColumn>[] => [
  { name: "is_waiting", divisor: 1 },
  { name: "age_seconds", divisor: deadline },
  { name: "is_processor_busy", divisor: 1 },
  { name: "is_radio_busy", divisor: 1 },
  { name: "queue_length", divisor: 4 },
  { name: "local_delay_seconds", divisor: deadline },
  { name: "upload_delay_with_all_left_seconds", divisor: deadline },
  { name: "edge_delay_with_all_left_seconds", divisor: deadline },
  { name: "succeeds_locally", divisor: 1 },
];

/**
 * @param deadline T_d
 * @param rows [n, width] for `set`, [width] for `flat`, row-major, filled
 */
export const writeColumns = (
  layout: ObservationLayout,
  observation: Observation,
  community: CommunitySettings,
  devices: readonly Device[],
  deadline: number,
  rows: Float32Array,
): void => {
  const ofCommunity = layout.communityColumns.map((column) =>
    shown(column, communityColumns[column.name](observation, community)),
  );
  let at = 0;
  for (let j = 0; j < observation.deviceCount; j++) {
    for (const column of layout.deviceColumns) {
      rows[at++] = shown(column, deviceColumns[column.name](j, observation, devices, community, deadline) as number);
    }
    if (layout.networks === "set") for (const value of ofCommunity) rows[at++] = value;
  }
  if (layout.networks === "flat") for (const value of ofCommunity) rows[at++] = value;
};

const shown = ({ divisor, limit = Number.POSITIVE_INFINITY }: Column<unknown>, value: number): number =>
  Math.min(value / divisor, limit);
