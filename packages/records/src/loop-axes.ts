import type { LoopAxis } from "./loop-axis.ts";

/** How settings are shown that are looped over most; others by the names of their keys. */
export const loopAxes: readonly LoopAxis[] = [
  { variable: "bandwidth_hertz", title: "Bandwidth of a base station [MHz]", divisor: 1e6 },
  { variable: "server_clock_hertz", title: "Computing capability of a MEC server [GHz]", divisor: 1e9 },
  { variable: "work_cycles", title: "Required computational resources of a task [gigacycles]", divisor: 1e9 },
  { variable: "device_count", title: "End devices per community" },
  { variable: "tasks_per_time_slot", title: "Tasks per end device and time-slot" },
  { variable: "discount_ratio", title: "Discount γ" },
  { variable: "learning_rate", title: "Learning rate τ", scale: "log" },
  { variable: "deadline_seconds", title: "Maximum tolerable delay [s]" },
];
