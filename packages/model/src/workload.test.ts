import { bytes, count, seconds } from "@offloadlab/units";
import { expect, it } from "vitest";
import { testbed } from "./presets.ts";
import type { Arrivals, Settings } from "./settings.ts";
import { tasksOf } from "./workload.ts";

const images = [bytes(600_000), bytes(900_000), bytes(1_400_000)];
const seeds = Array.from({ length: 500 }, (_, seed) => seed);

it("repeats with the seed and changes with it", () => {
  expect(tasksOf(testbed, 0, 0, 1)).toEqual(tasksOf(testbed, 0, 0, 1));
  expect(tasksOf(testbed, 0, 0, 1)).not.toEqual(tasksOf(testbed, 0, 0, 2));
});

it("differs between devices and communities", () => {
  const works = (community: number, device: number) => tasksOf(testbed, community, device, 1).map(({ work }) => work);
  expect(works(0, 0)).not.toEqual(works(0, 1));
  expect(works(0, 0)).not.toEqual(works(1, 0));
});

it("does not change when a community grows", () => {
  const communities = testbed.communities.map((community) => ({ ...community, deviceCount: count(30) }));
  expect(tasksOf({ ...testbed, communities }, 1, 2, 3)).toEqual(tasksOf(testbed, 1, 2, 3));
});

it("numbers tasks in order of arrival, at the starts of the epoch's time-slots", () => {
  const tasks = tasksOf(testbed, 1, 2, 3);
  tasks.forEach(({ id, arrival }, number) => {
    expect(id).toBe(`ed-2-3-${number}`);
    expect(Number.isInteger(arrival) && arrival >= 0 && arrival < 20).toBe(true);
    expect(arrival).toBeGreaterThanOrEqual(tasks[number - 1]?.arrival ?? 0);
  });
});

it("draws data and work within their ranges", () => {
  for (const { dataSize, work, image } of seeds.slice(0, 20).flatMap((seed) => tasksOf(testbed, 0, 0, seed))) {
    expect(dataSize >= 4e6 && dataSize <= 12e6).toBe(true);
    expect(work >= 1e9 && work <= 1.2e9).toBe(true);
    expect(image).toBe(0);
  }
});

it("generates one task per time-slot in the mean, a Poisson number of them", () => {
  const perSlot = seeds.flatMap((seed) => {
    const slots = new Array<number>(20).fill(0);
    for (const { arrival } of tasksOf(testbed, 0, 0, seed)) slots[arrival] = (slots[arrival] ?? 0) + 1;
    return slots;
  });
  const mean = perSlot.reduce((sum, tasks) => sum + tasks, 0) / perSlot.length;
  const variance = perSlot.reduce((sum, tasks) => sum + (tasks - mean) ** 2, 0) / perSlot.length;
  expect(mean).toBeCloseTo(1, 1);
  expect(variance).toBeCloseTo(1, 1);
});

it("takes its data from images, and asks for all of them", () => {
  const tasks = seeds.slice(0, 20).flatMap((seed) => tasksOf(testbed, 0, 0, seed, images));
  for (const { dataSize, image } of tasks) expect(dataSize).toBe(8 * (images[image] as number));
  expect(new Set(tasks.map(({ image }) => image)).size).toBe(3);
});

it("computes the same work at the same times with images as without", () => {
  const timing = (sizes?: typeof images) =>
    tasksOf(testbed, 0, 0, 1, sizes).map(({ arrival, work }) => [arrival, work]);
  expect(timing(images)).toEqual(timing());
});

it("refuses an empty set of images", () => {
  expect(() => tasksOf(testbed, 0, 0, 1, [])).toThrow("Expected at least one image size, got none");
});

/** The testbed with other arrivals everywhere. */
const withArrivals = (arrivals: Arrivals): Settings => ({
  ...testbed,
  communities: testbed.communities.map((community) => ({
    ...community,
    workload: { ...community.workload, arrivals },
  })),
});

it("gives users of C-ESP their platform's activity: as many tasks in the mean, very different from user to user", () => {
  const settings = withArrivals("c-esp");
  const counts = Array.from({ length: 20_000 }, (_, seed) => tasksOf(settings, 0, 0, seed).length).sort(
    (a, b) => a - b,
  );
  const mean = counts.reduce((sum, tasks) => sum + tasks, 0) / counts.length;
  // 20 in the mean with a deviation of 3.2 means; three standard errors.
  expect(Math.abs(mean - 20)).toBeLessThan((3 * 3.2 * 20) / Math.sqrt(counts.length));
  const busiest = counts.slice(-counts.length / 100).reduce((sum, tasks) => sum + tasks, 0);
  expect(busiest / (mean * counts.length)).toBeCloseTo(0.24, 1);
  expect(counts[counts.length / 4]).toBeLessThanOrEqual(3);
  for (const { arrival } of tasksOf(settings, 0, 0, 5)) expect(arrival >= 0 && arrival < 20).toBe(true);
});

it("sorts the arrivals of a user of C-ESP", () => {
  const arrivals = tasksOf(withArrivals("c-esp"), 0, 1, 11).map(({ arrival }) => arrival);
  expect(arrivals.length).toBeGreaterThan(1);
  expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b));
});

it("replays a window of a trace, the same one for all devices of a community", () => {
  const everySecond = Array.from({ length: 100 }, (_, second) => second);
  const settings = withArrivals({ times: [everySecond, everySecond, everySecond], duration: seconds(100) });
  const arrivalsOf = (device: number, seed: number) => tasksOf(settings, 0, device, seed).map(({ arrival }) => arrival);
  const first = arrivalsOf(0, 1);
  expect(first).toHaveLength(20);
  first.forEach((arrival, i) => {
    expect(arrival).toBeCloseTo((first[0] as number) + i);
  });
  expect(arrivalsOf(2, 1)).toEqual(first);
  expect(arrivalsOf(0, 2)).not.toEqual(first);
});
