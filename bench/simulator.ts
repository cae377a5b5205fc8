// How many sub-slots a second one core simulates under Greedy, workload included: `npm run bench:simulator`.
import { emptyAction, paper, type Settings } from "@offloadlab/model";
import { policies } from "@offloadlab/policies";
import { Community, runEpoch } from "@offloadlab/simulation";
import { count, hertz } from "@offloadlab/units";

const measured = (communityCount: number, deviceCount: number): number => {
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
  let subSlots = 0;
  let seed = 0;
  const run = (seconds: number): number => {
    subSlots = 0;
    const start = performance.now();
    do {
      for (const { community, policy, action } of worlds) {
        runEpoch(community, policy, seed++, action);
        subSlots += community.subSlot;
      }
    } while (performance.now() - start < 1000 * seconds);
    return subSlots / ((performance.now() - start) / 1000);
  };
  run(0.5);
  return Math.max(...Array.from({ length: 3 }, () => run(1)));
};

const cases = [
  { communities: 1, devices: 13 },
  { communities: 1, devices: 130 },
  { communities: 1, devices: 1300 },
  { communities: 3, devices: 13 },
  { communities: 10, devices: 13 },
];
const rows = cases.map(({ communities, devices }) => {
  const rate = measured(communities, devices);
  return {
    communities,
    devices,
    subSlotsPerSecond: Math.round(rate),
    nanosecondsPerDevice: Number((1e9 / rate / devices).toFixed(1)),
  };
});
if (process.argv.includes("json")) console.log(JSON.stringify({ rows }));
else console.table(rows);
