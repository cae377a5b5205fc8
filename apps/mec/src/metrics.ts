import type { TrialOrder } from "@offloadlab/protocol";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { TimedSubSlot } from "./community-trial.ts";

/** What a MEC tells Prometheus: base units, never a label per task. */
export const serverMetrics = (inUse: () => { bandwidth: number; compute: number }) => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 1_000 });
  const registers = [registry];
  new Gauge({
    name: "offloadlab_share_in_use_ratio",
    help: "Sum of the shares that tasks in flight hold",
    labelNames: ["resource"],
    registers,
    collect() {
      const { bandwidth, compute } = inUse();
      this.set({ resource: "bandwidth" }, bandwidth);
      this.set({ resource: "compute" }, compute);
    },
  });
  return {
    registry,
    decisions: new Counter({
      name: "offloadlab_offload_decisions_total",
      help: "Answers to offload requests",
      labelNames: ["decision"],
      registers,
    }),
    refusals: new Counter({
      name: "offloadlab_refusals_total",
      help: "Requests that were refused, by failure code",
      labelNames: ["code"],
      registers,
    }),
    transmissionError: new Histogram({
      name: "offloadlab_transmission_error_ratio",
      help: "Measured minus theoretical upload time, over theoretical",
      buckets: [-0.1, -0.05, -0.02, -0.01, 0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
      registers,
    }),
    decisionLatency: new Histogram({
      name: "offloadlab_decision_latency_seconds",
      help: "Real time from a sub-slot's start to its last answer handed to the socket",
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1],
      registers,
    }),
    missedSubSlots: new Counter({
      name: "offloadlab_sub_slots_missed_total",
      help: "Devices' sub-slots without a decision in time: the report was missing, the decision late, or there was none",
      registers,
    }),
    phases: new Histogram({
      name: "offloadlab_task_phase_seconds",
      help: "Lab time that offloaded tasks spend",
      labelNames: ["phase"],
      buckets: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
      registers,
    }),
  };
};
export type ServerMetrics = ReturnType<typeof serverMetrics>;

/** Counts a sub-slot that was decided, and the silent ones before it. */
export const observeSubSlot = (
  { decisionLatency, missedSubSlots }: ServerMetrics,
  { reported, devices, handedSeconds, silent }: TimedSubSlot,
  { settings, clockSpeed }: TrialOrder,
): void => {
  const isLate = handedSeconds > settings.timeSlot / settings.subSlotsPerTimeSlot;
  decisionLatency.observe(handedSeconds / clockSpeed);
  missedSubSlots.inc(silent * devices + (isLate ? devices : Math.max(devices - reported, 0)));
};
