import { communityAt, type Device, edgeDelay, localDelay, type Settings, type Task } from "@offloadlab/model";
import type { Latencies } from "@offloadlab/simulation";
import { ratio, seconds } from "@offloadlab/units";
import { quantile } from "../lease-quality.ts";
import { endOf, type TaskCourse } from "./course.ts";
import type { LaboratoryCourse } from "./laboratory.ts";

/** Median and 95th percentile; NaN of nothing. */
export interface Spread {
  readonly median: number;
  readonly p95: number;
}

/** What tasks took in the laboratory beyond the theory, in lab seconds. */
export interface MeasuredLatencies {
  /** From the sub-slot's start to the server's decision. */
  readonly decisionSeconds: Spread;
  /** From the sub-slot's start to that of an execution or upload. */
  readonly startSeconds: Spread;
  /** Local executions, beyond Eq. (4). */
  readonly localSeconds: Spread;
  /** Offloaded tasks from the upload's start to the result, beyond Eqs. (2) and (6). */
  readonly edgeSeconds: Spread;
  /** What of that is the upload's as the server timed it, its execution's, and neither's: request and answer on their way. */
  readonly edgeParts: {
    readonly uploadSeconds: Spread;
    readonly executionSeconds: Spread;
    readonly otherSeconds: Spread;
  };
}

/** What one executed task took beyond the theory. */
interface TaskLatency {
  readonly placement: "local" | "edge";
  readonly startSeconds: number;
  /** Of its execution, here or there. */
  readonly excessSeconds: number;
  /** What of that is the upload's and the server's, of an offloaded one. */
  readonly uploadSeconds: number;
  readonly executionSeconds: number;
}

/** Of all tasks that were executed in the given trials, by community. */
export const measuredLatencies = (
  settings: Settings,
  devices: readonly (readonly Device[])[],
  courses: readonly (readonly LaboratoryCourse[])[],
): MeasuredLatencies => {
  const tasks = courses.flatMap((trials, communityIndex) =>
    trials.flatMap((course) =>
      course.tasks.flatMap((lived, device) =>
        lived.flatMap((task, number) => {
          const here = devices[communityIndex]?.[device] as Device;
          const theory = course.generated[device]?.[number] as Task;
          const { serverClock } = communityAt(settings, communityIndex);
          return taskLatency(settings, course, task, localDelay(theory.work, here.clock), (share) =>
            edgeDelay(theory.work, ratio(share), serverClock),
          );
        }),
      ),
    ),
  );
  const offloaded = tasks.filter(({ placement }) => placement === "edge");
  const excess = (where: "local" | "edge"): Spread =>
    spread(tasks.filter(({ placement }) => placement === where).map(({ excessSeconds }) => excessSeconds));
  return {
    decisionSeconds: spread(courses.flat().flatMap(({ latenessSeconds }) => latenessSeconds)),
    startSeconds: spread(tasks.map(({ startSeconds }) => startSeconds)),
    localSeconds: excess("local"),
    edgeSeconds: excess("edge"),
    edgeParts: {
      uploadSeconds: spread(offloaded.map(({ uploadSeconds }) => uploadSeconds)),
      executionSeconds: spread(offloaded.map(({ executionSeconds }) => executionSeconds)),
      otherSeconds: spread(
        offloaded.map(
          ({ excessSeconds, uploadSeconds, executionSeconds }) => excessSeconds - uploadSeconds - executionSeconds,
        ),
      ),
    },
  };
};

/** The medians, as the simulator takes them. */
export const medianLatencies = ({ startSeconds, localSeconds, edgeSeconds }: MeasuredLatencies): Latencies => {
  const median = (spread: Spread) => seconds(Math.max(spread.median || 0, 0));
  return { start: median(startSeconds), local: median(localSeconds), edge: median(edgeSeconds) };
};

/** Empty when the task was not executed, or nobody measured it. */
const taskLatency = (
  settings: Settings,
  course: LaboratoryCourse,
  task: TaskCourse,
  localSeconds: number,
  edgeSeconds: (computeShare: number) => number,
): TaskLatency[] => {
  const { placement, subSlot, arrivalSeconds, waitingSeconds, delaySeconds } = task;
  if (placement === null || subSlot === null || delaySeconds <= waitingSeconds) return [];
  const boundary = (subSlot * settings.timeSlot) / settings.subSlotsPerTimeSlot;
  const began = arrivalSeconds + waitingSeconds;
  if (placement === "local") {
    const excessSeconds = endOf(task) - began - localSeconds;
    return [{ placement, startSeconds: began - boundary, excessSeconds, uploadSeconds: 0, executionSeconds: 0 }];
  }
  const service = course.service(task.task);
  if (service === undefined) return [];
  // The waiting time of an offloaded task goes on until its upload and the server's queue are over.
  const start = began - service.uploadSeconds - service.queueSeconds;
  const execution = edgeSeconds(service.computeShare);
  return [
    {
      placement,
      startSeconds: start - boundary,
      excessSeconds: endOf(task) - start - service.theoreticalUploadSeconds - execution,
      uploadSeconds: service.uploadSeconds - service.theoreticalUploadSeconds,
      executionSeconds: service.executionSeconds - execution,
    },
  ];
};

const spread = (values: readonly number[]): Spread => ({ median: quantile(values, 0.5), p95: quantile(values, 0.95) });
