import { emptyAction, place, placement, presets, type Settings, type Task } from "@offloadlab/model";
import { bits, count, cycles, seconds } from "@offloadlab/units";
import { expect, it } from "vitest";
import { Community, type TaskEnd } from "./community.ts";
import { type Latencies, noLatencies } from "./latencies.ts";

const settings: Settings = presets.testbed;
const task = (number: number, work: number): Task => ({
  id: `ed-1-1-${number}`,
  arrival: seconds(0),
  dataSize: bits(8e6),
  work: cycles(work),
  image: count(0),
});

/** Where the first device's tasks go as soon as they can; how they end. */
const endsOf = (where: "local" | "edge", tasks: readonly Task[], latencies?: Latencies): TaskEnd[] => {
  const ends: TaskEnd[] = [];
  const community = new Community(settings, 0, 1, (end) => ends.push(end), latencies);
  const action = emptyAction(count(community.deviceCount));
  community.resetWith([tasks, [], []]);
  do {
    const share = where === "edge" && community.observation.radioBusy[0] === 0 ? 1 / 3 : 0;
    const isOpen = community.observation.waiting[0] === 1 && (where === "local" || share > 0);
    if (isOpen) place(action, 0, placement[where], share, share);
    else place(action, 0, placement.wait, 0, 0);
  } while (!community.step(action).terminated);
  return ends;
};

it("a task starts and ends later, and its lane is free later", () => {
  // 0.747 s of the 0.75 that three sub-slots have.
  const tasks = [task(0, 1.1205e9), task(1, 1.1205e9)];
  const [first, second] = endsOf("local", tasks);
  expect(first).toMatchObject({ subSlot: 0, waiting: 0, delay: seconds(0.747) });
  expect(second).toMatchObject({ subSlot: 3, waiting: 0.75, outcome: "completed-local" });
  const late = endsOf("local", tasks, { start: seconds(0.002), local: seconds(0.003), edge: seconds(0) });
  expect(late[0]?.waiting).toBeCloseTo(0.002, 12);
  expect(late[0]?.delay).toBeCloseTo(0.752, 12);
  expect(late[1]).toMatchObject({ subSlot: 4, outcome: "late" });
  expect(late[0]?.energy).toBe(first?.energy);
});

it("an offloaded task takes longer by the same, and waits for its upload", () => {
  const [theory] = endsOf("edge", [task(0, 1e9)]);
  const [late] = endsOf("edge", [task(0, 1e9)], { start: seconds(0.002), local: seconds(9), edge: seconds(0.003) });
  expect(late?.waiting).toBeCloseTo((theory?.waiting ?? 0) + 0.002, 12);
  expect(late?.delay).toBeCloseTo((theory?.delay ?? 0) + 0.005, 12);
  expect(late?.energy).toBe(theory?.energy);
});

it("no latencies are the theory", () => {
  const tasks = [task(0, 1.1e9), task(1, 1.2e9)];
  expect(endsOf("local", tasks, noLatencies)).toEqual(endsOf("local", tasks));
});
