import { outcomes } from "@offloadlab/model";
import type { LiveRoundMember, LiveSnapshot } from "@offloadlab/protocol";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** What the C-BS tells Prometheus of the lab: the same snapshot that the dashboard shows, in base units. */
export const stationMetrics = (snapshot: () => LiveSnapshot): Registry => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1_000 });
  const registers = [registry];
  const gauge = (
    name: string,
    help: string,
    labelNames: string[],
    collect: (set: (labels: Record<string, string>, value: number) => void, snapshot: LiveSnapshot) => void,
  ): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        collect((labels, value) => this.set(labels, value), snapshot());
      },
    });
  };
  gauge("offloadlab_node_online", "1 while the node is connected", ["node"], (set, { communities }) => {
    for (const { server, devices } of communities)
      for (const { id, online } of [server, ...devices]) set({ node: id }, online ? 1 : 0);
  });
  gauge(
    "offloadlab_battery_charge_joules",
    "Charge of a device's battery",
    ["node", "method"],
    (set, { communities, run }) => {
      for (const { devices } of communities)
        for (const { id, chargeJoules } of devices)
          set({ node: id, method: run?.hardware ?? "emulated" }, chargeJoules);
    },
  );
  gauge("offloadlab_queue_length", "Tasks in a device's queue", ["node"], (set, { communities }) => {
    for (const { devices } of communities) for (const { id, queueLength } of devices) set({ node: id }, queueLength);
  });
  gauge(
    "offloadlab_trial_tasks",
    "Tasks of the current trial by outcome",
    ["node", "outcome"],
    (set, { communities }) => {
      for (const { devices } of communities)
        for (const device of devices)
          for (const outcome of outcomes) set({ node: device.id, outcome }, device.outcomes[outcome] ?? 0);
    },
  );
  gauge("offloadlab_trial_reward", "Sum of the rewards of the current trial", ["community"], (set, { communities }) => {
    for (const { name, reward } of communities) set({ community: name }, reward);
  });
  gauge("offloadlab_run_trial", "Number of the current trial, from 1", [], (set, { run }) => set({}, run?.trial ?? 0));
  gauge("offloadlab_federation_rounds", "Rounds that have ended", ["policy", "state"], (set, { federations }) => {
    for (const { policy, averagedRounds, skippedRounds } of federations) {
      set({ policy, state: "averaged" }, averagedRounds);
      set({ policy, state: "skipped" }, skippedRounds);
    }
  });
  gauge(
    "offloadlab_federation_refused_updates",
    "Updates that were not taken in, by failure code",
    ["policy", "node", "code"],
    (set, { federations }) => {
      for (const { policy, refusals } of federations)
        for (const [node, codes] of Object.entries(refusals))
          for (const [code, times] of Object.entries(codes)) set({ policy, node, code }, times);
    },
  );
  const ofLastRound = (
    name: string,
    help: string,
    valuesOf: (member: LiveRoundMember) => Readonly<Record<string, number | null>>,
  ): void =>
    gauge(name, help, ["policy", "node", "network"], (set, { federations }) => {
      for (const { policy, rounds } of federations)
        for (const member of rounds.at(-1)?.members ?? [])
          for (const [network, value] of Object.entries(valuesOf(member)))
            if (value !== null) set({ policy, node: member.node, network }, value);
    });
  ofLastRound("offloadlab_federation_loss", "Mean un-penalised loss in the last round", ({ losses }) => losses);
  ofLastRound(
    "offloadlab_federation_proximal_weight",
    "Lambda since the last round",
    ({ proximalWeights }) => proximalWeights,
  );
  gauge(
    "offloadlab_federation_upload_bytes",
    "Update of the last round",
    ["policy", "node"],
    (set, { federations }) => {
      for (const { policy, rounds } of federations)
        for (const { node, uploadBytes } of rounds.at(-1)?.members ?? []) set({ policy, node }, uploadBytes);
    },
  );
  return registry;
};
