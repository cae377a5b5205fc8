import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { emulatedTrialBoard, type TrialBoard, unixNow } from "@offloadlab/hardware";
import { Journal, LineWriter } from "@offloadlab/records";
import { joules, seconds, watts } from "@offloadlab/units";
import { expect, it } from "vitest";
import { ServiceEnergy } from "./service-energy.ts";

/** What is journalled of two services of half the server, by a board. */
const journalled = async (board: TrialBoard): Promise<unknown[]> => {
  const folder = await mkdtemp(join(tmpdir(), "offloadlab-energy-"));
  const journal = new Journal(await LineWriter.open(join(folder, "mec.ndjson")), unixNow);
  const energy = new ServiceEnergy(board, watts(20), 4, journal);
  const [first, second] = [energy.begin("a", 0.5), energy.begin("b", 0.25)];
  first.end(seconds(0.5));
  second.end(seconds(1));
  await energy.settled();
  await journal.close();
  const lines = (await readFile(join(folder, "mec.ndjson"), "utf8")).trim().split("\n");
  await rm(folder, { recursive: true });
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as unknown);
};

it("a measured service is journalled with its joules, how well they are known and who says so", async () => {
  const powers: number[] = [];
  const measured: TrialBoard = {
    ...emulatedTrialBoard(joules(0)),
    drain: "measured",
    meter: {
      begin: (power) => {
        powers.push(power);
        return {
          stop: () => {},
          reading: async (modelled) => ({
            joules: joules(1.1 * modelled),
            uncertainty: joules(0.2),
            coverage: 0.9,
            method: "ina3221",
          }),
        };
      },
    },
  };
  const common = { kind: "service-energy", trial: 4, energyUncertaintyJoules: 0.2, energyCoverageRatio: 0.9 };
  expect(await journalled(measured)).toMatchObject([
    { ...common, task: "a", energyJoules: 5.5, energyMethod: "ina3221" },
    { ...common, task: "b", energyJoules: 5.5, energyMethod: "ina3221" },
  ]);
  expect(powers).toEqual([10, 5]);
});

it("emulated energy follows from the service, and has no record of its own", async () => {
  expect(await journalled(emulatedTrialBoard(joules(0)))).toEqual([]);
});
