// How many sub-slots a second one core simulates under Greedy, with and without the drawing of tasks: `npm run bench:simulator`.
import { emptyAction, paper, type Settings } from "@offloadlab/model";
import { policies } from "@offloadlab/policies";
import { Community, runEpoch, tuneEngine } from "@offloadlab/simulation";
import { count, hertz } from "@offloadlab/units";

/** Sub-slots a second: stepping and deciding, and with the drawing of every epoch's tasks. */
const measured = (communityCount: number, deviceCount: number): { stepping: number; whole: number } => {
  const template = paper.communities[1];
  if (template === undefined) throw new RangeError("the preset has no second community");
  const settings: Settings = {
    ...paper,
    communities: Array.from({ length: communityCount }, (_, i) => ({
      ...template,
      name: `R${i + 1}`,
      deviceCount: count(deviceCount),
      // As much for each device whatever their number, so that they do the same.
      bandwidth: hertz(template.bandwidth * (deviceCount / template.deviceCount)),
      serverClock: hertz(template.serverClock * (deviceCount / template.deviceCount)),
    })),
  };
  const worlds = settings.communities.map((_, index) => {
    const community = new Community(settings, index, 1);
    const policy = policies.greedy(settings, index, community.devices);
    return { community, policy, action: emptyAction(count(deviceCount)) };
  });
  let seed = 0;
  /** Sub-slots and seconds of so many epochs, and the part of the seconds that drawing their tasks took. */
  const run = (epochs: number) => {
    const first = seed;
    let subSlots = 0;
    const start = performance.now();
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const { community, policy, action } of worlds) {
        runEpoch(community, policy, seed++, action);
        subSlots += community.subSlot;
      }
    }
    const middle = performance.now();
    for (let again = first; again < seed; ) for (const { community } of worlds) community.reset(again++);
    const end = performance.now();
    return { subSlots, epochSeconds: (middle - start) / 1000, drawingSeconds: (end - middle) / 1000 };
  };
  // Rounds of some ten milliseconds: the fastest of many is the one that nothing else has disturbed.
  const epochs = Math.max(1, Math.round(1500 / (communityCount * deviceCount)));
  for (let round = 0; round < 30; round++) run(epochs);
  const rounds = Array.from({ length: 150 }, () => run(epochs));
  const least = (seconds: (round: (typeof rounds)[number]) => number): number =>
    Math.min(...rounds.map((round) => seconds(round) / round.subSlots));
  const whole = least(({ epochSeconds }) => epochSeconds);
  const drawing = least(({ drawingSeconds }) => drawingSeconds);
  return { stepping: 1 / (whole - drawing), whole: 1 / whole };
};

tuneEngine();
const cases = [
  { communities: 1, devices: 13 },
  { communities: 1, devices: 130 },
  { communities: 1, devices: 1300 },
  { communities: 3, devices: 13 },
  { communities: 10, devices: 13 },
];
const rows = cases.map(({ communities, devices }) => {
  const { stepping, whole } = measured(communities, devices);
  return {
    communities,
    devices,
    subSlotsPerSecond: Math.round(stepping),
    withWorkloadPerSecond: Math.round(whole),
    nanosecondsPerDevice: Number((1e9 / whole / devices).toFixed(1)),
  };
});
if (process.argv.includes("json")) console.log(JSON.stringify({ rows }));
else console.table(rows);
