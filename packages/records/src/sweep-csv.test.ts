import { expect, it } from "vitest";
import { sweepCsv } from "./sweep-csv.ts";
import { provenance, provenanceText, sweepRow } from "./sweep-rows.test-helper.ts";

it("has a comment, a heading with units, and a line per row with all digits", () => {
  const variables = { bandwidth_hertz: 5e6 };
  const successRatio = { mean: 1 / 3, interval: null, bootstrapInterval: null, n: 1 };
  const [comment, heading, line, ...rest] = sweepCsv([sweepRow({ variables, successRatio })], provenance).split("\n");
  expect(comment).toBe(`# ${provenanceText}; low and high: 95 % Student-t interval over n trials`);
  const names = heading?.split(",") ?? [];
  const cells = line?.split(",") ?? [];
  expect(cells.length).toBe(names.length);
  expect(names.every((name) => /^[a-z_]+$/.test(name))).toBe(true);
  expect(new Set(names).size).toBe(names.length);
  expect(Object.fromEntries(names.map((name, index) => [name, cells[index]]))).toMatchObject({
    bandwidth_hertz: "5000000",
    policy: "local",
    community: "all",
    reward_per_epoch_mean: "-520.5",
    reward_per_epoch_low: "-521",
    reward_per_epoch_high: "-520",
    reward_per_epoch_n: "30",
    success_mean_ratio: "0.3333333333333333",
    success_low_ratio: "",
    success_bootstrap_high_ratio: "",
    success_n: "1",
    energy_mean_joules: "10.25",
    energy_bootstrap_low_joules: "10",
    energy_bootstrap_high_joules: "10.5",
    waiting_high_seconds: "2",
    reward_per_task_mean: "-2",
  });
  expect(rest).toEqual([""]);
});

it("quotes what a comma or a quote would tear apart", () => {
  const csv = sweepCsv([sweepRow({ variables: { preset: 'a "b", c' } })], provenance);
  expect(csv.split("\n")[2]).toMatch(/^"a ""b"", c",local,all,/);
});
