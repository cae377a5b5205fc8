import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

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
