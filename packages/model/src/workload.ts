import { type Bytes, bits, bitsOf, count, cycles, seconds } from "@offloadlab/units";
import { relativeActivity } from "./c-esp.ts";
import { deviceId } from "./devices.ts";
import { type RandomStream, randomStream } from "./random.ts";
import { communityAt, type Settings, type TraceArrivals, type WorkloadSettings } from "./settings.ts";
import type { Task } from "./task.ts";
import { TaskTable } from "./task-table.ts";

/**
 * Adds the tasks that a device generates in one epoch to a table, in order of arrival.
 *
 * §III: attributes follow a Poisson process.
 *
 * Differs: the text has one task at the start of each time-slot, which contradicts its Poisson process and Table III.
 *
 * A device draws from a stream of its own, and for each task the same number of times with images as without: neither
 * another device nor a set of images changes when a task arrives or what it computes.
 *
 * @param imageSizes sizes of the images that the device classifies: a task then asks for one of them, and its data is
 *   that image. Without them data is drawn from the settings and `image` is 0.
 * @throws RangeError when `imageSizes` is empty
 */
export const drawTasks = (
  table: TaskTable,
  settings: Settings,
  communityIndex: number,
  deviceIndex: number,
  seed: number,
  imageSizes?: readonly Bytes[],
): void => {
  if (imageSizes?.length === 0) throw new RangeError("Expected at least one image size, got none");
  const { workload } = communityAt(settings, communityIndex);
  const random = randomStream(seed, "workload", communityIndex, deviceIndex);

  if (workload.arrivals === "poisson") {
    for (let slot = 0; slot < settings.timeSlotCount; slot++) {
      const arrivals = random.poisson(workload.tasksPerTimeSlot);
      for (let task = 0; task < arrivals; task++) {
        drawTask(table, slot * settings.timeSlot, workload, random, imageSizes);
      }
    }
    return;
  }
  const times =
    workload.arrivals === "c-esp"
      ? arrivalsOfUser(settings, workload.tasksPerTimeSlot, random)
      : arrivalsInWindow(settings, workload.arrivals, deviceIndex, randomStream(seed, "window", communityIndex));
  for (const time of times) drawTask(table, time, workload, random, imageSizes);
};

const epochLength = ({ timeSlot, timeSlotCount }: Settings): number => timeSlot * timeSlotCount;

/** A Poisson process at the rate of a user whom the stream draws from those of C-ESP. */
const arrivalsOfUser = (settings: Settings, tasksPerTimeSlot: number, random: RandomStream): Float64Array => {
  const rate = tasksPerTimeSlot * relativeActivity(random.uniform());
  // Given their number, the arrivals of a Poisson process are independent and uniform.
  const times = new Float64Array(random.poisson(rate * settings.timeSlotCount));
  for (let i = 0; i < times.length; i++) times[i] = random.uniform(0, epochLength(settings));
  return times.sort();
};

/** The arrivals of one device in a window of its trace, from the window's start. */
const arrivalsInWindow = (
  settings: Settings,
  trace: TraceArrivals,
  deviceIndex: number,
  random: RandomStream,
): number[] => {
  const length = epochLength(settings);
  const start = random.uniform(0, trace.duration - length);
  return (trace.times[deviceIndex] ?? [])
    .filter((time) => time >= start && time < start + length)
    .map((time) => time - start);
};

/** Draws what a task computes, and its data. */
const drawTask = (
  table: TaskTable,
  arrival: number,
  { work, dataSize }: WorkloadSettings,
  random: RandomStream,
  imageSizes: readonly Bytes[] | undefined,
): void => {
  const cycleCount = random.uniform(work.low, work.high);
  if (imageSizes === undefined) table.push(arrival, random.uniform(dataSize.low, dataSize.high), cycleCount, 0);
  else {
    const image = random.integer(imageSizes.length);
    table.push(arrival, bitsOf(imageSizes[image] as Bytes), cycleCount, image);
  }
};

/** The same tasks as objects, with their names. */
export const tasksOf = (
  settings: Settings,
  communityIndex: number,
  deviceIndex: number,
  seed: number,
  imageSizes?: readonly Bytes[],
): Task[] => {
  const table = new TaskTable();
  drawTasks(table, settings, communityIndex, deviceIndex, seed, imageSizes);
  const id = deviceId(communityIndex, deviceIndex);
  return Array.from({ length: table.length }, (_, task) => ({
    id: `${id}-${task}`,
    arrival: seconds(table.arrival(task)),
    dataSize: bits(table.dataSize(task)),
    work: cycles(table.work(task)),
    image: count(table.image(task)),
  }));
};
