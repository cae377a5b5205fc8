// One update of TD3: ours on ONNX Runtime beside PyTorch as CleanRL uses it and TensorFlow.js on WebAssembly, one thread
// in one process each, in turns; two learners at once beside one; and where the time of an update goes.
//   npm run bench:learner [-- --format json]
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { type Engine, encodeModel, onnxEngine, Td3, td3Defaults, td3Update } from "@offloadlab/learning";
import { randomStream } from "@offloadlab/model";
import { tuneEngine } from "@offloadlab/simulation";
import { derived } from "../packages/learning/src/graph/derive.ts";
import { input, matmul } from "../packages/learning/src/graph/expression.ts";
import { lower } from "../packages/learning/src/graph/lower.ts";
import { sessionOptions } from "../packages/learning/src/graph/onnx-engine.ts";
import { inOrder } from "../packages/learning/src/graph/order.ts";
import { inputsOf } from "../packages/learning/src/graph/program.ts";
import { tfjsEngine } from "../packages/learning/src/graph/tfjs-engine.ts";

const rows = { rows: 1, features: 17, actions: 9, values: 1 };
const batchSize = 256;
const settingsOf = (hidden: number) => ({ ...td3Defaults, hidden, batchSize, pooled: false, bufferCapacity: 10_000 });
const hiddens = [64, 128, 256];
const rounds = 25;
/** How long a turn takes; at least one pair of updates. */
const seconds = 0.1;

/** Milliseconds of one of what a turn repeats. */
type Turn = (hidden: number) => Promise<number>;

const turnOf = async (work: () => unknown, count: number): Promise<number> => {
  let done = 0;
  const start = performance.now();
  while (done === 0 || performance.now() - start < 1000 * seconds) {
    for (let i = 0; i < count; i++) await work();
    done += count;
  }
  return (performance.now() - start) / done;
};

/** A learner whose buffer is full of noise. */
const openLearner = (engine: Engine, hidden: number): Td3 => {
  const learner = new Td3(engine, rows, settingsOf(hidden), 1);
  const random = randomStream(1, "bench");
  const noise = (length: number) => Float32Array.from({ length }, () => random.uniform(-1, 1));
  for (let i = 0; i < learner.buffer.capacity; i++) {
    const [state, action, reward, next] = [rows.features, rows.actions, rows.values, rows.features].map(noise);
    if (state && action && reward && next) learner.store({ state, action, reward, next, terminated: false });
  }
  return learner;
};

/** Of an update, sampling included; a turn's are pairs: critics, then critics, actor and targets. */
const updates = (engine: Engine): Turn => {
  const learners = new Map<number, Td3>();
  return async (hidden) => {
    const learner = learners.get(hidden) ?? openLearner(engine, hidden);
    if (!learners.has(hidden)) for (let i = 0; i < 4; i++) await learner.update();
    learners.set(hidden, learner);
    return turnOf(() => learner.update(), 2);
  };
};

/** Of an update by TensorFlow.js on WebAssembly, which has one thread in Node. */
const openWasm = async (): Promise<Turn> => {
  const tf = await import("@tensorflow/tfjs");
  tf.enableProdMode();
  await import("@tensorflow/tfjs-backend-wasm");
  await tf.setBackend("wasm");
  return updates(tfjsEngine);
};

const productSize = 512;
/** A product of two large square matrices on ONNX Runtime. */
const openProductRun = async (): Promise<() => Promise<unknown>> => {
  const shape = [productSize, productSize];
  const program = await onnxEngine.open("product", { product: matmul(input("left", shape), input("right", shape)) });
  const feeds = { left: new Float32Array(productSize ** 2).fill(0.5), right: new Float32Array(productSize ** 2).fill(2) };
  return () => program.run(feeds);
};
const openProduct = async (): Promise<Turn> => {
  const run = await openProductRun();
  return () => turnOf(run, 1);
};

/** Of a loop that does nothing: two at once say how many cores are free. */
const openLoop = async (): Promise<Turn> => () =>
  turnOf(() => {
    for (let i = 0; i < 100_000; i++);
  }, 10);

const openers = { onnx: async () => updates(onnxEngine), tfjs: openWasm, product: openProduct, loop: openLoop };
type Work = keyof typeof openers;
interface Request {
  readonly work: Work;
  readonly hidden: number;
}

/** Answers each request with its milliseconds. */
const serve = (): void => {
  const turns = new Map<Work, Promise<Turn>>();
  process.on("message", async ({ work, hidden }: Request) => {
    const turn = turns.get(work) ?? openers[work]();
    turns.set(work, turn);
    process.send?.(await (await turn)(hidden));
  });
};

/** A process that takes turns. */
class Contender {
  readonly #child: ChildProcess = fork(import.meta.filename, ["--serve"]);

  async turn(work: Work, hidden = 0): Promise<number> {
    this.#child.send({ work, hidden } satisfies Request);
    const [milliseconds] = (await once(this.#child, "message")) as [number];
    return milliseconds;
  }

  close(): void {
    this.#child.disconnect();
  }
}

/** The Python process beside this file; NaN once it has ended because it found no PyTorch. */
const openTorch = (): { readonly turn: Turn; blas(): string | null; close(): void } => {
  const child = spawn("/usr/bin/python3", [join(import.meta.dirname, "learner_torch.py")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
  });
  // Without an interpreter, or after its end, there is nobody to write to.
  child.on("error", ({ message }) => console.error(`left out PyTorch (${message})`));
  child.stdin.on("error", () => {});
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  let blas: string | null = null;
  const shape = { states: rows.features, actions: rows.actions, batch: batchSize };
  return {
    async turn(hidden) {
      child.stdin.write(`${JSON.stringify({ ...shape, hidden, seconds })}\n`);
      const { value, done } = await answers.next();
      if (done) return Number.NaN;
      const answer = JSON.parse(value) as { readonly milliseconds: number; readonly blas: string };
      blas = answer.blas;
      return answer.milliseconds;
    },
    blas: () => blas,
    close: () => child.stdin.end(),
  };
};

/** The two updates of a pair as expressions. */
const pairOf = (hidden: number) =>
  [false, true].map((withActor) => td3Update(rows, settingsOf(hidden), { withActor, withProximal: false }));

/** Floating-point operations in matrix products of an update, averaged over a pair. */
const productOperations = (hidden: number): number => {
  const pair = pairOf(hidden).map((outputs) => {
    return inOrder(...derived(Object.values(outputs))).reduce((sum, { operation, inputs: [left], size }) => {
      if (operation.kind !== "matmul") return sum;
      return sum + 2 * size * (left?.shape.at(operation.transposeLeft ? -2 : -1) ?? 0);
    }, 0);
  });
  return pair.reduce((sum, operations) => sum + operations, 0) / pair.length;
};

/** What ONNX Runtime notes of a run. */
interface ProfileEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args: { readonly op_name: string };
}

const profiledRuns = 200;

/** What ONNX Runtime notes of an update that is run again and again with the same noise. */
const profileOf = async (outputs: ReturnType<typeof td3Update>, folder: string): Promise<ProfileEvent[]> => {
  const { InferenceSession, Tensor } = await import("onnxruntime-node");
  const profileFilePrefix = join(folder, "update");
  const model = encodeModel(lower("update", outputs));
  const session = await InferenceSession.create(model, { ...sessionOptions, enableProfiling: true, profileFilePrefix });
  const random = randomStream(1, "profile");
  const feeds = inputsOf(Object.values(outputs)).map(({ name, shape }) => {
    const noise = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => random.uniform());
    return [name, new Tensor("float32", noise, shape)] as const;
  });
  for (let run = 0; run < profiledRuns; run++) await session.run(Object.fromEntries(feeds));
  session.endProfiling();
  await session.release();
  const [file = ""] = await readdir(folder);
  const events = JSON.parse(await readFile(join(folder, file), "utf8")) as ProfileEvent[];
  await rm(join(folder, file));
  return events;
};

const productTypes = ["MatMul", "Gemm", "FusedMatMul", "FusedGemm"];
/**
 * Milliseconds of an update by type of operation, matrix products as one, averaged over a pair. Of each operation, its
 * least disturbed run.
 */
const partsOf = async (hidden: number): Promise<Readonly<Record<string, number>>> => {
  const parts: Record<string, number> = {};
  const folder = await mkdtemp(join(tmpdir(), "bench-learner-"));
  for (const outputs of pairOf(hidden)) {
    const least = new Map<string, ProfileEvent>();
    for (const event of await profileOf(outputs, folder)) {
      const { cat, name, dur } = event;
      if (cat !== "Node" || !name.endsWith("_kernel_time")) continue;
      if (dur < (least.get(name)?.dur ?? Number.POSITIVE_INFINITY)) least.set(name, event);
    }
    for (const { args, dur } of least.values()) {
      const part = productTypes.includes(args.op_name) ? "products" : args.op_name;
      parts[part] = (parts[part] ?? 0) + dur / 1000 / 2;
    }
  }
  await rm(folder, { recursive: true });
  return parts;
};

const orNull = (value: number): number | null => (Number.isFinite(value) ? Number(value.toFixed(3)) : null);

/** Milliseconds of the least disturbed run of some work. */
const leastOf = async (work: () => Promise<unknown>): Promise<number> => {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < profiledRuns; run++) {
    const start = performance.now();
    await work();
    least = Math.min(least, performance.now() - start);
  }
  return least;
};

/** Of an update, sampling included. */
const leastUpdate = async (hidden: number): Promise<number> => {
  const learner = openLearner(onnxEngine, hidden);
  const ofPair = await leastOf(async () => {
    for (let i = 0; i < 2; i++) await learner.update();
  });
  await learner.close();
  return ofPair / 2;
};

const sumOf = (parts: Readonly<Record<string, number>>): number =>
  Object.values(parts).reduce((sum, milliseconds) => sum + milliseconds, 0);

const largestFirst = (parts: Readonly<Record<string, number>>) =>
  Object.fromEntries(
    Object.entries(parts)
      .sort(([, first], [, second]) => second - first)
      .map(([part, milliseconds]) => [part, orNull(milliseconds)]),
  );

const median = (values: readonly number[]): number =>
  [...values].sort((first, second) => first - second)[Math.floor(values.length / 2)] ?? Number.NaN;

/**
 * Of each, the least disturbed turn: what else runs on the machine only makes turns longer. Two at once need both cores
 * undisturbed, which is rarer: they are compared with one in the turn before, and the median of all rounds counts.
 */
const measure = async () => {
  const [onnx, tfjs, second] = [new Contender(), new Contender(), new Contender()];
  const torch = openTorch();
  const fastest = new Map<string, number>();
  const note = (name: string, milliseconds: number): void => {
    fastest.set(name, Math.min(fastest.get(name) ?? Number.POSITIVE_INFINITY, milliseconds));
  };
  const gains = new Map<string, number[]>();
  const noteAloneAndTogether = async (work: Work, hidden = 0): Promise<void> => {
    const alone = await onnx.turn(work, hidden);
    const together = await Promise.all([onnx, second].map((each) => each.turn(work, hidden)));
    const gain = together.reduce((sum, milliseconds) => sum + alone / milliseconds, 0);
    gains.set(`${work} ${hidden}`, [...(gains.get(`${work} ${hidden}`) ?? []), gain]);
    if (work === "onnx") note(`onnx ${hidden}`, alone);
  };
  for (let round = 0; round < rounds; round++) {
    await noteAloneAndTogether("product");
    await noteAloneAndTogether("loop");
    for (const hidden of hiddens) {
      await noteAloneAndTogether("onnx", hidden);
      note(`torch ${hidden}`, await torch.turn(hidden));
      // Many times as slow, and only its magnitude matters.
      if (round % 5 === 0) note(`tfjs ${hidden}`, await tfjs.turn("tfjs", hidden));
    }
  }
  for (const each of [onnx, tfjs, second, torch]) each.close();
  const partsByHidden = new Map<number, Readonly<Record<string, number>>>();
  const leastUpdates = new Map<number, number>();
  for (const hidden of hiddens) {
    const [parts, least] = [await partsOf(hidden), await leastUpdate(hidden)];
    partsByHidden.set(hidden, { ...parts, outside: least - sumOf(parts) });
    leastUpdates.set(hidden, least);
  }
  const operationsPerMillisecond = (2 * productSize ** 3) / (await leastOf(await openProductRun()));

  const of = (name: string): number => fastest.get(name) ?? Number.NaN;
  const gainOf = (name: string): number | null => orNull(median(gains.get(name) ?? []));
  return {
    rows: hiddens.map((hidden) => {
      const [ours, theirs, wasm] = [of(`onnx ${hidden}`), of(`torch ${hidden}`), of(`tfjs ${hidden}`)];
      return {
        hidden,
        onnxMilliseconds: orNull(ours),
        torchMilliseconds: orNull(theirs),
        tfjsMilliseconds: orNull(wasm),
        torchRatio: orNull(theirs / ours),
        tfjsRatio: orNull(wasm / ours),
        productShare: orNull(productOperations(hidden) / operationsPerMillisecond / (leastUpdates.get(hidden) ?? Number.NaN)),
        twoLearners: gainOf(`onnx ${hidden}`),
        partsMilliseconds: largestFirst(partsByHidden.get(hidden) ?? {}),
      };
    }),
    /** The library that PyTorch computed with. */
    blas: torch.blas(),
    twoLoops: gainOf("loop 0"),
    twoProducts: gainOf("product 0"),
    productGigaflops: orNull(operationsPerMillisecond / 1e6),
  };
};

const { values } = parseArgs({
  options: { format: { type: "string", default: "text" }, serve: { type: "boolean", default: false } },
});
tuneEngine();
if (values.serve) serve();
else {
  const results = await measure();
  if (values.format === "json") console.log(JSON.stringify(results));
  else {
    console.log(`Milliseconds of a TD3 update (S = 17, A = 9, batch 256), in the fastest of ${rounds} turns; ratios are to ours.`);
    console.log(`productShare: what matrix products take of the least disturbed update if they run at the ${results.productGigaflops} GFLOP/s of a large one.`);
    console.log(
      `twoLearners: updates a second of two at once, in two processes, over those of one just before, the median of all rounds; of such products ${results.twoProducts}, of empty loops ${results.twoLoops}.`,
    );
    console.log(`blas: ${results.blas ?? "none, as PyTorch was left out"}.`);
    console.table(results.rows.map(({ partsMilliseconds, ...row }) => row));
    console.log("Milliseconds by type of operation, by the profile of the runtime, which lengthens short ones; outside: the rest of an update.");
    for (const { hidden, partsMilliseconds } of results.rows) {
      const parts = Object.entries(partsMilliseconds).slice(0, 8);
      console.log(`  ${hidden}: ${parts.map(([part, milliseconds]) => `${part} ${milliseconds}`).join(", ")}`);
    }
  }
}
