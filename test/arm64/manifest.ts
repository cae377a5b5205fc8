// Prints a manifest for one server and one device, slow enough for an emulated processor.
import { presets, settingsToFile } from "@offloadlab/model";

const { testbed } = presets;
const [first] = testbed.communities;
if (first === undefined) throw new RangeError("expected a community in the testbed");
const settings = settingsToFile({ ...testbed, communities: [{ ...first, deviceCount: 1 as never }] });
console.log(
  JSON.stringify({
    name: "arm64",
    preset: "testbed",
    policies: ["local", "edge"],
    repetitions: 1,
    seed: 7,
    clock_speed_ratio: 0.25,
    settings: { communities: (settings as { communities: unknown }).communities, time_slot_count: 2 },
  }),
);
