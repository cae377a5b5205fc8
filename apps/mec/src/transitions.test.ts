import type { Transition } from "@offloadlab/learning";
import {
  type Action,
  emptyAction,
  instantReward,
  paper,
  placement,
  randomStream,
  type Settings,
} from "@offloadlab/model";
import { AgentTranslator, type AgentView, Community, type TaskEnd } from "@offloadlab/simulation";
import { count } from "@offloadlab/units";
import { expect, it } from "vitest";
import { Transitions } from "./transitions.ts";

/** So many tasks that some expire, and some are left when the epoch's sub-slots are over. */
const settings: Settings = {
  ...paper,
  communities: paper.communities.map((each) => ({
    ...each,
    deviceCount: count(4),
    workload: { ...each.workload, tasksPerTimeSlot: 2.5 },
  })),
};
const subSlotCount = settings.timeSlotCount * settings.subSlotsPerTimeSlot;

/** What becomes known of a task. */
interface Event {
  /** With the reports of this sub-slot. */
  readonly known: number;
  readonly end: TaskEnd;
}

/**
 * An epoch under random actions, until every task has ended: what the simulator pays at once, and what a laboratory makes
 * of the same when the ends of tasks become known one after the other.
 */
const epoch = (view: AgentView, lose: (subSlot: number) => boolean = () => false) => {
  const random = randomStream(5, "actions");
  const translator = new AgentTranslator(view, settings, 0);
  const { rows, features, actions, values } = translator.shape;
  const ends: TaskEnd[] = [];
  const community = new Community(settings, 0, 1, (end) => ends.push(end));
  const { demand, device } = community.communitySettings;
  const events: Event[] = [];
  const simulated: Transition[] = [];
  const lived: Transition[] = [];
  const transitions = new Transitions(translator, 4, subSlotCount, (transition) => lived.push(transition));
  const action: Action = emptyAction(count(4));
  const decided = [0, 0, 0, 0];
  const outcomes = new Set<string>();
  const deliver = (isKnown: (event: Event) => boolean): void => {
    for (const { end } of events.filter(isKnown)) {
      const reward = instantReward(demand, end.outcome, end.delay, end.energy, device.capacity);
      transitions.ended(end.device, `${end.device} ${end.number}`, end.subSlot, reward);
    }
  };
  community.reset(7);
  for (let isOver = false; !isOver; ) {
    const { subSlot, observation } = community;
    deliver(({ known }) => known === subSlot);
    const state = new Float32Array(rows * features);
    translator.observe(observation, state);
    const raw = Float32Array.from({ length: rows * actions }, () => random.uniform(-1, 1));
    translator.decode(raw, observation, action);
    const heads = Array.from(observation.waiting, (waits, j) => (waits === 1 ? `${j} ${decided[j]}` : null));
    const begins = Array.from(action.placement, (where) => where !== placement.wait);
    transitions.decided({ subSlot, isComplete: !lose(subSlot), heads, begins }, state, raw);

    ends.length = 0;
    const { rewards, terminated } = community.step(action);
    isOver = terminated;
    for (const end of ends) {
      decided[end.device] = (decided[end.device] as number) + 1;
      outcomes.add(end.outcome);
      // An expired task is known with the next report, any other when it has ended.
      const last = end.outcome === "expired" ? 0 : Math.max(end.delay - end.waiting, 0);
      events.push({ known: subSlot + 1 + Math.ceil(last * 4), end });
    }
    if (subSlot >= subSlotCount) continue;
    const next = new Float32Array(rows * features);
    translator.observe(community.observation, next);
    const reward = new Float32Array(rows * values);
    translator.earn(rewards, reward);
    simulated.push({ state, action: raw, reward, next, terminated: false });
  }
  deliver(({ known }) => known > community.subSlot - 1);
  transitions.end();
  return { simulated, lived, transitions, outcomes };
};

const key = ({ state, action }: Transition): string => `${state.join()} ${action.join()}`;
const sorted = (list: readonly Transition[]): Transition[] => [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1));

it.each<AgentView>([
  { networks: "set", values: "device" },
  { networks: "flat", values: "device" },
  { networks: "flat", values: "team" },
])("$networks, $values: a laboratory learns from what the simulator learns from, however late it is known", (view) => {
  const { simulated, lived, transitions, outcomes } = epoch(view);
  expect([...outcomes].sort()).toEqual(["completed-edge", "completed-local", "drained", "expired", "late"]);
  expect(lived).toHaveLength(subSlotCount);
  expect(transitions.discarded).toBe(0);
  const [expected, actual] = [sorted(simulated), sorted(lived)];
  for (const [index, { state, action, next, reward }] of actual.entries()) {
    const other = expected[index] as Transition;
    expect({ state, action, next }).toEqual({ state: other.state, action: other.action, next: other.next });
    for (const [i, value] of reward.entries()) expect(value).toBeCloseTo(other.reward[i] as number, 5);
  }
});

it("leaves out a decision without all reports, and the one before it, whose next state nobody saw", () => {
  const { simulated, lived, transitions } = epoch({ networks: "set", values: "device" }, (subSlot) => subSlot === 9);
  expect(transitions.complete).toBe(subSlotCount - 2);
  expect(transitions.discarded).toBe(2);
  const kept = new Set(lived.map(key));
  for (const [subSlot, transition] of simulated.entries())
    expect(kept.has(key(transition))).toBe(subSlot !== 8 && subSlot !== 9);
});
