import { type Bytes, bits, bitsOf, count, cycles, seconds } from "@offloadlab/units";
import { deviceId } from "./devices.ts";
import { randomStream } from "./random.ts";
import { communityAt, type Settings } from "./settings.ts";
import type { Task } from "./task.ts";

/**
 * The tasks that a device generates in one epoch, in order of arrival.
 *
 * A Poisson number of tasks arrives at the start of each time-slot (§III: attributes follow a Poisson process).
 *
 * Differs: the text has one task at the start of each time-slot, which contradicts its Poisson process and Table III.
 *
 * Numbers, work and data come from streams of their own, per device: neither another device nor a set of images changes
 * when a task arrives or what it computes.
 *
 * @param imageSizes sizes of the images that the device classifies: a task then asks for one of them, and its data is
 *   that image. Without them data is drawn from the settings and `image` is 0.
 * @throws RangeError when `imageSizes` is empty
 */
export const tasksOf = (
  settings: Settings,
  communityIndex: number,
  deviceIndex: number,
  seed: number,
  imageSizes?: readonly Bytes[],
): Task[] => {
  if (imageSizes?.length === 0) throw new RangeError("Expected at least one image size, got none");
  const { tasksPerTimeSlot, dataSize, work } = communityAt(settings, communityIndex).workload;
  const stream = (label: string) => randomStream(seed, "workload", communityIndex, deviceIndex, label);
  const numbers = stream("numbers");
  const works = stream("work");
  const data = stream("data");

  const drawData = (): Pick<Task, "dataSize" | "image"> => {
    if (!imageSizes) return { dataSize: bits(data.uniform(dataSize.low, dataSize.high)), image: count(0) };
    const image = data.integer(imageSizes.length);
    return { dataSize: bitsOf(imageSizes[image] as Bytes), image: count(image) };
  };

  const id = deviceId(communityIndex, deviceIndex);
  const tasks: Task[] = [];
  for (let slot = 0; slot < settings.timeSlotCount; slot++) {
    const arrivals = numbers.poisson(tasksPerTimeSlot);
    for (let arrival = 0; arrival < arrivals; arrival++) {
      tasks.push({
        id: `${id}-${tasks.length}`,
        arrival: seconds(slot * settings.timeSlot),
        work: cycles(works.uniform(work.low, work.high)),
        ...drawData(),
      });
    }
  }
  return tasks;
};
