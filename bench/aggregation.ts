// Eq. (25) over a thousand models beside a copy of the same bytes, and beside NumPy doing the same: in turns, one thread each.
//   npm run bench:aggregation [-- --format json]
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { aggregate, ModelMemory } from "@offloadlab/federation";

const modelCount = 1_000;
const length = 100_000;
const rounds = 30;

/** As the C-BS has them when they have come; NumPy has them in one array. */
const memory = new ModelMemory({ actor: length }, modelCount);
const models = Array.from({ length: modelCount }, (_, k) => ({
  community: k,
  weights: memory.hold({ actor: Float32Array.from({ length }, (_, i) => Math.sin(i * 0.001 + k)) }),
}));
const copies = new Float32Array(modelCount * length);

const copy = (): void => {
  for (const { community, weights } of models) copies.set(weights["actor"] as Float32Array, community * length);
};
const millisecondsOf = (work: () => unknown): number => {
  const start = performance.now();
  work();
  return performance.now() - start;
};

/** The Python process beside this file; no turns once it has ended because it found no NumPy. */
const openNumpy = () => {
  const script = join(import.meta.dirname, "aggregation_numpy.py");
  const child = spawn("/usr/bin/python3", [script, String(modelCount), String(length)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
  });
  // Without an interpreter, or after its end, there is nobody to write to.
  child.on("error", ({ message }) => console.error(`left out NumPy (${message})`));
  child.stdin.on("error", () => {});
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async turn(): Promise<Record<string, number>> {
      child.stdin.write("\n");
      const { value, done } = await answers.next();
      return done ? {} : (JSON.parse(value) as Record<string, number>);
    },
    close: () => child.stdin.end(),
  };
};

const numpy = openNumpy();
/** Of each, the least disturbed turn: what else runs on the machine only makes turns longer. */
const fastest: Record<string, number> = {};
const note = (name: string, milliseconds: number): void => {
  fastest[name] = Math.min(fastest[name] ?? Number.POSITIVE_INFINITY, milliseconds);
};
await numpy.turn();
for (let round = 0; round < rounds; round++) {
  note("copy", millisecondsOf(copy));
  note("aggregate", millisecondsOf(() => aggregate(models)));
  for (const [way, milliseconds] of Object.entries(await numpy.turn())) note(`numpy_${way}`, milliseconds);
}
numpy.close();

const of = (name: string): number => fastest[name] ?? Number.NaN;
const inDouble = Math.min(of("numpy_one_after_the_other"), of("numpy_of_stacked"));
const orNull = (value: number): number | null => (Number.isFinite(value) ? Number(value.toFixed(2)) : null);
const results = {
  models: modelCount,
  parametersEach: length,
  rounds,
  milliseconds: Object.fromEntries(Object.entries(fastest).map(([name, value]) => [name, orNull(value)])),
  overCopy: orNull(of("aggregate") / of("copy")),
  numpyOverOurs: orNull(inDouble / of("aggregate")),
  numpySinglePrecisionOverOurs: orNull(of("numpy_of_stacked_in_single_precision") / of("aggregate")),
};

const { values } = parseArgs({ options: { format: { type: "string", default: "text" } } });
if (values.format === "json") console.log(JSON.stringify(results));
else {
  console.log(`${modelCount} models of ${length} float32 numbers: milliseconds of the fastest of ${rounds} turns.`);
  console.log(`Ours is ${results.overCopy} times a copy of the same bytes; NumPy takes ${results.numpyOverOurs} times as long`);
  console.log(`in double precision as ours, and ${results.numpySinglePrecisionOverOurs} times in single precision.`);
  console.table(results.milliseconds);
}
