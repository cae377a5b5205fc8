import { expect, it } from "vitest";
import { provenance, provenanceText, sweepRow } from "./sweep-rows.test-helper.ts";
import { sweepTable } from "./sweep-table.ts";

it("lines up a row per loop value, policy and community, and says what it is", () => {
  const variables = { bandwidth_hertz: 5e6 };
  const none = { mean: null, interval: null, bootstrapInterval: null, n: 0 };
  const table = sweepTable(
    [
      sweepRow({ variables }),
      sweepRow({ variables, community: "community-1", successRatio: none }),
      sweepRow({ variables, policy: "edge" }),
    ],
    provenance,
  );
  const lines = table.split("\n");
  expect(lines[0]?.split(/\s{2,}/)).toEqual([
    "bandwidth_hertz",
    "policy",
    "community",
    "reward per epoch",
    "success rate",
    "energy per task [J]",
    "waiting time [s]",
    "reward per task",
    "n",
  ]);
  const numbers = ["-520.50 ± 0.50", "0.750 ± 0.500", "10.25 ± 0.50", "1.500 ± 0.500", "-2.000 ± 0.500", "30"];
  expect(lines[2]?.split(/\s{2,}/)).toEqual(["5000000", "local", "all", ...numbers]);
  expect(lines[3]?.split(/\s{2,}/)).toEqual(["5000000", "local", "community-1", ...numbers.with(1, "-")]);
  expect(lines[4]).toBe("");
  expect(lines[5]?.split(/\s{2,}/)).toEqual(["5000000", "edge", "all", ...numbers]);
  expect(lines.slice(6)).toEqual([
    lines[1],
    "mean ± half width of the 95 % Student-t interval over n trials",
    provenanceText,
    "",
  ]);
});
