import { featureCount, writeFeatures } from "@offloadlab/learning";
import { communityAt, paper } from "@offloadlab/model";
import { describe, expect, it } from "vitest";
import { agentLayout, layoutWidth, writeColumns } from "./columns.ts";
import { deviceCount, devices, observationOf, world } from "./world.test-helper.ts";

const readings = ["paper", "extended"] as const;
const kinds = ["set", "flat"] as const;

describe.each(readings.flatMap((reading) => kinds.map((networks) => ({ reading, networks }))))(
  "the columns of $networks networks with the $reading observation",
  ({ reading, networks }) => {
    it("are the numbers that an agent is shown, bit for bit", () => {
      for (const [settings, index] of [
        [world, 0],
        [paper, 2],
      ] as const) {
        const community = communityAt(settings, index);
        const layout = agentLayout(reading, networks, community, settings.deadline);
        const size = (networks === "set" ? deviceCount : 1) * layoutWidth(layout, deviceCount);
        expect(layoutWidth(layout, deviceCount)).toBe(featureCount({ observation: reading, networks }, deviceCount));
        for (let number = 0; number < 30; number++) {
          const [shown, written] = [new Float32Array(size), new Float32Array(size).fill(Number.NaN)];
          const observation = observationOf(number);
          // As on a slow link, where a task seems larger than any.
          observation.dataSize[0] = (number / 10) * community.workload.dataSize.high;
          writeFeatures({ observation: reading, networks }, observation, community, settings.deadline, shown);
          writeColumns(layout, observation, community, devices, settings.deadline, written);
          expect(written).toEqual(shown);
        }
      }
    });
  },
);

it("has columns that agents are not shown: what the devices are", () => {
  const names = ["clock_hertz", "transmit_power_watts", "full_rate_bits_per_second"] as const;
  const layout = {
    networks: "set",
    deviceColumns: names.map((name) => ({ name, divisor: 2 })),
    communityColumns: [],
  } as const;
  const rows = new Float32Array(3 * deviceCount);
  writeColumns(layout, observationOf(0), communityAt(world, 0), devices, world.deadline, rows);
  const halves = devices.flatMap(({ clock, transmitPower, fullRate }) => [clock / 2, transmitPower / 2, fullRate / 2]);
  expect([...rows]).toEqual(halves.map(Math.fround));
});
