import { endOf, startsAlike, type TaskCourse } from "./course.ts";
import { type Cause, type Origin, originOf, type Worlds } from "./origin.ts";

/** A task in both worlds, and why it differs. */
export interface Divergence {
  readonly laboratory: TaskCourse;
  readonly simulator: TaskCourse;
  readonly cause: Cause;
  /** Whether the cause is its own: tasks that differ since others did before have the cause of the first. */
  readonly isFirst: boolean;
  /** How much later than in theory that ended which made the difference; null when it was no task's end. */
  readonly lateSeconds: number | null;
}

interface Pair {
  readonly device: number;
  readonly number: number;
  readonly laboratory: TaskCourse;
  readonly simulator: TaskCourse;
  /** The first that started the task in either world. */
  readonly subSlot: number;
  readonly origin: Origin;
}

/** Compares a trial of a community task by task, and names a cause for each difference; `timing` where the course is the same. */
export const divergencesOf = (worlds: Worlds): Divergence[] => {
  const pairs = worlds.laboratory.tasks.flatMap((tasks, device) =>
    tasks.map((laboratory, number): Pair => {
      const simulator = worlds.simulator.tasks[device]?.[number] as TaskCourse;
      const subSlot = Math.min(laboratory.subSlot ?? Number.MAX_VALUE, simulator.subSlot ?? Number.MAX_VALUE);
      const origin = alikeOrigin(laboratory, simulator) ?? originOf(worlds, device, number, subSlot);
      return { device, number, laboratory, simulator, subSlot, origin };
    }),
  );
  const follows = ({ origin }: Pair): number => Number("follows" in origin);
  pairs.sort((a, b) => a.subSlot - b.subSlot || follows(a) - follows(b) || a.device - b.device || a.number - b.number);

  const lastOfDevice = new Map<number, Cause>();
  let lastOfCommunity: Cause | undefined;
  return pairs.map(({ device, laboratory, simulator, origin }) => {
    if ("cause" in origin) {
      const { cause, lateSeconds } = origin;
      const isTiming = cause === "timing";
      // A deadline missed changes nothing for the tasks that come after.
      if (!isTiming && cause !== "deadline") {
        lastOfDevice.set(device, cause);
        lastOfCommunity = cause;
      }
      return { laboratory, simulator, cause, isFirst: !isTiming, lateSeconds };
    }
    const own = origin.follows === "device" ? lastOfDevice.get(device) : undefined;
    const cause = own ?? lastOfCommunity;
    if (cause !== undefined) lastOfDevice.set(device, cause);
    return { laboratory, simulator, cause: cause ?? "unknown", isFirst: cause === undefined, lateSeconds: null };
  });
};

/** The origin of what differs in a task that both worlds started alike; null when they did not. */
const alikeOrigin = (laboratory: TaskCourse, simulator: TaskCourse): Origin | null => {
  if (laboratory.outcome === "lost") return { cause: "lost", lateSeconds: null };
  if (!startsAlike(laboratory, simulator)) return null;
  if (laboratory.outcome === simulator.outcome) return { cause: "timing", lateSeconds: null };
  if (laboratory.outcome === "drained" || simulator.outcome === "drained")
    return { cause: "energy", lateSeconds: null };
  return { cause: "deadline", lateSeconds: endOf(laboratory) - endOf(simulator) };
};
