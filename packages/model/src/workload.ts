import { type Bytes, bits, bitsOf, count, cycles, seconds } from "@offloadlab/units";
import { deviceId } from "./devices.ts";
import { randomStream } from "./random.ts";
import { communityAt, type Settings } from "./settings.ts";
import type { Task } from "./task.ts";
import { TaskTable } from "./task-table.ts";

/**
 * Adds the tasks that a device generates in one epoch to a table, in order of arrival.
 *
 * A Poisson number of tasks arrives at the start of each time-slot (§III: attributes follow a Poisson process).
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
  const { tasksPerTimeSlot, dataSize, work } = communityAt(settings, communityIndex).workload;
  const random = randomStream(seed, "workload", communityIndex, deviceIndex);
  for (let slot = 0; slot < settings.timeSlotCount; slot++) {
    const arrivals = random.poisson(tasksPerTimeSlot);
    for (let arrival = 0; arrival < arrivals; arrival++) {
      const cycleCount = random.uniform(work.low, work.high);
      if (imageSizes) {
        const image = random.integer(imageSizes.length);
        table.push(slot * settings.timeSlot, bitsOf(imageSizes[image] as Bytes), cycleCount, image);
      } else table.push(slot * settings.timeSlot, random.uniform(dataSize.low, dataSize.high), cycleCount, 0);
    }
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
