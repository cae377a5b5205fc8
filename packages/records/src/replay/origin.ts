import type { CommunityCourse } from "./course.ts";
import { endOf, startsAlike, type TaskCourse } from "./course.ts";
import type { LaboratoryCourse } from "./laboratory.ts";

/** Why a task goes differently in the laboratory, as its journals show it; `differenceCauses` says them in words. */
export type Cause =
  | "timing"
  | "processor"
  | "radio"
  | "deadline"
  | "report"
  | "answer"
  | "fallback"
  | "energy"
  | "shares"
  | "lost"
  | "unknown";

/** A difference has a cause of its own, or follows from one that its device or its community had before. */
export type Origin =
  | { readonly cause: Cause; readonly lateSeconds: number | null }
  | { readonly follows: "device" | "community" };

/** A trial of a community in both worlds. */
export interface Worlds {
  readonly laboratory: LaboratoryCourse;
  readonly simulator: CommunityCourse;
  readonly subSlotSeconds: number;
}

/** What rounding makes of times and energies in journals. */
const tolerance = 1e-6;

/**
 * What makes one world start a task that the other does not start there and then.
 *
 * A decision goes by what it sees: the head of the line, lanes, reports, charge, shares in flight. The first of these that
 * differs is the cause; it has followed from something else if other tasks than in theory brought it about.
 *
 * @param subSlot the first of the two that started the task
 */
export const originOf = (worlds: Worlds, device: number, number: number, subSlot: number): Origin => {
  const { laboratory, simulator, subSlotSeconds } = worlds;
  const boundary = subSlot * subSlotSeconds;
  const lived = laboratory.tasks[device] as readonly TaskCourse[];
  const simulated = simulator.tasks[device] as readonly TaskCourse[];
  const task = lived[number] as TaskCourse;
  const theory = simulated[number] as TaskCourse;

  if (isQueued(lived[number - 1], subSlot, boundary) !== isQueued(simulated[number - 1], subSlot, boundary))
    return { follows: "device" };

  for (const lane of ["local", "edge"] as const) {
    // A device that started the task on a lane found it free, however close to the end of the task before.
    const foundFree = task.subSlot === subSlot && task.placement === lane;
    const origin = laneOrigin(lived, simulated, lane, subSlot, boundary, foundFree);
    if (origin !== null) return origin;
  }

  if (lived.some((other, k) => (other.outcome === "drained") !== (simulated[k]?.outcome === "drained") && k < number))
    return { follows: "device" };
  const decision = laboratory.decision(task.task, subSlot);
  if (decision === undefined) return { cause: "report", lateSeconds: null };
  if (decision.placement !== "wait" && task.subSlot !== subSlot) return { cause: "answer", lateSeconds: null };

  if (laboratory.isFallback(subSlot)) return { cause: "fallback", lateSeconds: null };

  // C3 holds in the world that started the task, and would not in the other.
  const energyHere = task.subSlot === subSlot ? task.energyJoules : 0;
  const energyThere = theory.subSlot === subSlot ? theory.energyJoules : 0;
  if (
    energyHere > simulator.chargeJoules(device, subSlot) + tolerance ||
    energyThere > laboratory.chargeJoules(device, subSlot) + tolerance
  )
    return { cause: "energy", lateSeconds: null };
  return sharesOrigin(worlds, device, subSlot, boundary);
};

/** Whether a task is still in the queue at the start of a sub-slot. */
const isQueued = (task: TaskCourse | undefined, subSlot: number, boundary: number): boolean => {
  if (task === undefined) return false;
  return task.subSlot === null ? endOf(task) > boundary + tolerance : task.subSlot >= subSlot;
};

/** The last task that a lane was given before a sub-slot. */
const occupantOf = (tasks: readonly TaskCourse[], lane: "local" | "edge", subSlot: number): TaskCourse | undefined =>
  tasks.findLast(
    (task) =>
      task.placement === lane &&
      task.subSlot !== null &&
      task.subSlot < subSlot &&
      task.delaySeconds > task.waitingSeconds,
  );

/** What makes a lane busy at the start of a sub-slot in one world alone; null when nothing does. */
const laneOrigin = (
  lived: readonly TaskCourse[],
  simulated: readonly TaskCourse[],
  lane: "local" | "edge",
  subSlot: number,
  boundary: number,
  foundFree: boolean,
): Origin | null => {
  const here = occupantOf(lived, lane, subSlot);
  const there = occupantOf(simulated, lane, subSlot);
  const busyHere = !foundFree && here !== undefined && endOf(here) > boundary;
  const busyThere = there !== undefined && endOf(there) > boundary + tolerance;
  if (busyHere === busyThere) return null;
  if (here === undefined || there === undefined || here.task !== there.task || !startsAlike(here, there))
    return { follows: "device" };
  return { cause: lane === "local" ? "processor" : "radio", lateSeconds: endOf(here) - endOf(there) };
};

/** What other devices hold in one world alone; the last thing that a decision sees. */
const sharesOrigin = (worlds: Worlds, device: number, subSlot: number, boundary: number): Origin => {
  const { laboratory, simulator } = worlds;
  for (const [other, lived] of laboratory.tasks.entries()) {
    if (other === device) continue;
    const foundFree = lived.some((task) => task.subSlot === subSlot && task.placement === "edge");
    const origin = laneOrigin(lived, simulator.tasks[other] ?? [], "edge", subSlot, boundary, foundFree);
    if (origin === null) continue;
    return "cause" in origin ? { ...origin, cause: "shares" } : { follows: "community" };
  }
  const inUse = laboratory.inUse(subSlot) ?? [0, 0];
  const theory = simulator.inUse(subSlot) ?? [0, 0];
  const differs = inUse.some((share, index) => Math.abs(share - (theory[index] ?? 0)) > tolerance);
  return differs ? { cause: "shares", lateSeconds: null } : { follows: "community" };
};
