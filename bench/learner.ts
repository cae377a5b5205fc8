// One update of TD3: ours on ONNX Runtime beside PyTorch as CleanRL uses it and TensorFlow.js on WebAssembly, one thread
// each, in turns; and two learners at once beside one.
//   npm run bench:learner [-- --format json]
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { type Engine, onnxEngine, Td3, td3Defaults, td3Update } from "@offloadlab/learning";
import { randomStream } from "@offloadlab/model";
import { derived } from "../packages/learning/src/graph/derive.ts";
import { input, matmul } from "../packages/learning/src/graph/expression.ts";
import { inOrder } from "../packages/learning/src/graph/order.ts";
import { tfjsEngine } from "../packages/learning/src/graph/tfjs-engine.ts";

const rows = { rows: 1, features: 17, actions: 9, values: 1 };
const batchSize = 256;
const settingsOf = (hidden: number) => ({ ...td3Defaults, hidden, batchSize, pooled: false, bufferCapacity: 10_000 });
const hiddens = [64, 128, 256];
const rounds = 25;
/** How long a turn takes; at least one pair of updates. */
const seconds = 0.1;

/** Milliseconds of an update, sampling included, over pairs: critics, then critics, actor and targets. */
type Timed = (hidden: number) => Promise<number>;

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

const timedLearner = (engine: Engine): Timed => {
  const learners = new Map<number, Td3>();
  return async (hidden) => {
    const learner = learners.get(hidden) ?? openLearner(engine, hidden);
    if (!learners.has(hidden)) for (let i = 0; i < 4; i++) await learner.update();
    learners.set(hidden, learner);
    let updates = 0;
    const start = performance.now();
    while (updates === 0 || performance.now() - start < 1000 * seconds) {
      await learner.update();
      await learner.update();
      updates += 2;
    }
    return (performance.now() - start) / updates;
  };
};

/** Of the Python process beside this file; NaN where it has ended because it found no PyTorch. */
const timedTorch = (): { readonly time: Timed; close(): void } => {
  const child = spawn("/usr/bin/python3", [join(import.meta.dirname, "learner_torch.py")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
  });
  // Without an interpreter, or after its end, there is nobody to write to.
  child.on("error", ({ message }) => console.error(`left out PyTorch (${message})`));
  child.stdin.on("error", () => {});
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  const shape = { states: rows.features, actions: rows.actions, batch: batchSize };
  return {
    async time(hidden) {
      child.stdin.write(`${JSON.stringify({ ...shape, hidden, seconds })}\n`);
      const { value, done } = await answers.next();
      return done ? Number.NaN : (JSON.parse(value) as { readonly milliseconds: number }).milliseconds;
    },
    close: () => child.stdin.end(),
  };
};

/** TensorFlow.js on WebAssembly, which has one thread in Node. */
const openWasm = async (): Promise<Timed> => {
  const tf = await import("@tensorflow/tfjs");
  tf.enableProdMode();
  await import("@tensorflow/tfjs-backend-wasm");
  await tf.setBackend("wasm");
  return timedLearner(tfjsEngine);
};

/** Milliseconds of a product of two square matrices on ONNX Runtime, and its floating-point operations. */
const openProduct = async (): Promise<{ readonly operations: number; time(): Promise<number> }> => {
  const size = 1024;
  const [left, right] = [input("left", [size, size]), input("right", [size, size])];
  const program = await onnxEngine.open("product", { product: matmul(left, right) });
  const feeds = { left: new Float32Array(size ** 2).fill(0.5), right: new Float32Array(size ** 2).fill(0.25) };
  const time = async () => {
    const start = performance.now();
    await program.run(feeds);
    return performance.now() - start;
  };
  return { operations: 2 * size ** 3, time };
};

/** Floating-point operations in matrix products of an update, averaged over a pair. */
const productOperations = (hidden: number): number => {
  const pair = [false, true].map((withActor) => {
    const outputs = td3Update(rows, settingsOf(hidden), { withActor, withProximal: false });
    const products = inOrder(...derived(Object.values(outputs))).filter(({ operation }) => operation.kind === "matmul");
    return products.reduce((sum, { operation, inputs: [left], size }) => {
      const inner = left?.shape.at(operation.kind === "matmul" && operation.transposeLeft ? -2 : -1) ?? 0;
      return sum + 2 * size * inner;
    }, 0);
  });
  return pair.reduce((sum, operations) => sum + operations, 0) / pair.length;
};

/** A learner in a process of its own. */
class Remote {
  readonly #child: ChildProcess = fork(import.meta.filename, ["--serve"]);

  /** Updates a second. */
  async rate(hidden: number): Promise<number> {
    this.#child.send(hidden);
    const [milliseconds] = (await once(this.#child, "message")) as [number];
    return 1000 / milliseconds;
  }

  close(): void {
    this.#child.disconnect();
  }
}

const serve = (): void => {
  const time = timedLearner(onnxEngine);
  process.on("message", async (hidden: number) => process.send?.(await time(hidden)));
};

const orNull = (value: number): number | null => (Number.isFinite(value) ? Number(value.toFixed(3)) : null);

const measure = async () => {
  const product = await openProduct();
  const torch = timedTorch();
  const onnx = timedLearner(onnxEngine);
  const wasm = await openWasm();
  const found = hiddens.map((hidden) => ({ hidden, onnx: [] as number[], torch: [] as number[], tfjs: [] as number[] }));
  let peak = 0;
  for (let round = 0; round < rounds; round++) {
    for (const times of found) {
      times.onnx.push(await onnx(times.hidden));
      times.torch.push(await torch.time(times.hidden));
      // Twenty times as slow, and only its magnitude matters.
      if (round % 5 === 0) times.tfjs.push(await wasm(times.hidden));
      peak = Math.max(peak, product.operations / (await product.time()) / 1e6);
    }
  }
  torch.close();

  const learners = [new Remote(), new Remote()];
  const rates = hiddens.map((hidden) => ({ hidden, alone: [] as number[], together: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const { hidden, alone, together } of rates) {
      for (const learner of learners) alone.push(await learner.rate(hidden));
      const both = await Promise.all(learners.map((learner) => learner.rate(hidden)));
      together.push(both.reduce((sum, rate) => sum + rate, 0));
    }
  }
  for (const learner of learners) learner.close();

  // The least disturbed turn of each: what else runs on the machine only makes turns longer.
  return {
    rows: found.map(({ hidden, onnx, torch, tfjs }) => {
      const [ours, theirs, wasms] = [onnx, torch, tfjs].map((times) => Math.min(...times)) as [number, number, number];
      return {
        hidden,
        onnxMilliseconds: orNull(ours),
        torchMilliseconds: orNull(theirs),
        tfjsMilliseconds: orNull(wasms),
        torchRatio: orNull(theirs / ours),
        tfjsRatio: orNull(wasms / ours),
        productShare: orNull(productOperations(hidden) / 1e6 / peak / ours),
      };
    }),
    twoLearners: rates.map(({ hidden, alone, together }) => ({
      hidden,
      throughputRatio: orNull(Math.max(...together) / Math.max(...alone)),
    })),
    productGigaflops: orNull(peak),
  };
};

const { values } = parseArgs({
  options: { format: { type: "string", default: "text" }, serve: { type: "boolean", default: false } },
});
if (values.serve) serve();
else {
  const results = await measure();
  if (values.format === "json") console.log(JSON.stringify(results));
  else {
    console.log(`Milliseconds of one TD3 update (S = 17, A = 9, batch 256), the fastest of ${rounds} turns, and how many times ours the others are;`);
    console.log(`productShare: how much of it matrix products would take at ${results.productGigaflops} GFLOP/s, those of two large matrices.`);
    console.table(results.rows);
    console.log("Updates a second of two learners in two processes, over those of one:");
    console.table(results.twoLearners);
  }
}
