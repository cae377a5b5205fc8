import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readParquet, writeParquet } from "./sweep-parquet.ts";
import { epochSums } from "./sweep-rows.test-helper.ts";
import type { EpochSums } from "./sweep-rows.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sweep's-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** More rows than fit into one of DuckDB's vectors. */
const sums: readonly EpochSums[] = Array.from({ length: 5000 }, (_, index) =>
  epochSums({
    trial: 1 + Math.floor(index / 10),
    policy: index % 3 === 0 ? "mcf-td3" : "local",
    variables: { "server.clock_hertz": 8e9 + index, preset: `paper "${index % 2}"`, physical: index % 2 === 0 },
    epoch: 1 + (index % 10),
    seed: index === 0 ? Number.MAX_SAFE_INTEGER : index,
    reward: -index / 3,
    energyJoules: index === 1 ? 1e-300 : 0.1 * index,
  }),
);

it("reads back what was written, in the same order, to the last digit", async () => {
  const path = join(folder, "sums.parquet");
  await writeParquet(path, sums);
  const read = await readParquet(path);
  expect(read).toEqual(sums);
  expect(Object.keys(read[0]?.variables ?? {})).toEqual(["server.clock_hertz", "preset", "physical"]);
  expect(await readdir(folder)).toEqual(["sums.parquet"]);
});

it("the same sums give the same bytes", async () => {
  const [first, second] = [join(folder, "first.parquet"), join(folder, "second.parquet")];
  await writeParquet(first, sums);
  await writeParquet(second, sums);
  expect((await readFile(first)).equals(await readFile(second))).toBe(true);
});

it("is a flat table for plain SQL", async () => {
  const path = join(folder, "sums.parquet");
  await writeParquet(path, sums);
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll(
    `SELECT policy, sum(completed_local + completed_edge) / sum(tasks) AS success, count(*)::INTEGER AS epochs
     FROM '${path.replaceAll("'", "''")}' WHERE loop_physical AND epoch <= 2 GROUP BY policy ORDER BY policy`,
  );
  expect(reader.getRowObjects()).toEqual([
    { policy: "local", success: 0.75, epochs: 333 },
    { policy: "mcf-td3", success: 0.75, epochs: 167 },
  ]);
  connection.closeSync();
  instance.closeSync();
});

it("holds nothing as well, but not a variable with values of two kinds", async () => {
  const path = join(folder, "sums.parquet");
  await writeParquet(path, []);
  expect(await readParquet(path)).toEqual([]);
  const mixed = [1, "auto"].map((devices) => epochSums({ variables: { devices } }));
  await expect(writeParquet(path, mixed)).rejects.toThrow(RangeError);
});
