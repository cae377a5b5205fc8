// Bundles each daemon and the CLI into one file in dist/, with the classifier's model and worker beside them, and the
// dashboard into apps/cbs/dist/dashboard. Does nothing when no source is newer than the last build.
import { cpSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");
const stamp = join(dist, ".built");

/** Newest change below a path, build output and modules left out. */
const newest = (path) => {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  const inner = readdirSync(path).filter((name) => name !== "dist" && name !== "node_modules");
  return Math.max(stat.mtimeMs, ...inner.map((name) => newest(join(path, name))));
};

/** One file each: what a board gets. */
const daemons = {
  ed: "apps/ed/src/main.ts",
  mec: "apps/mec/src/main.ts",
  "mec-learner": "apps/mec/src/learner-program.ts",
  "mec-model": "apps/mec/src/model-worker.ts",
  cbs: "apps/cbs/src/main.ts",
  "classifier-worker": "packages/classifier/src/worker.ts",
};
/** In pieces, so that a command loads only what it needs: a sweep starts hundreds of processes. */
const commands = {
  cli: "apps/cli/src/main.ts",
  trial: "apps/cli/src/trial.ts",
};

const absolute = (entries) =>
  Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, join(root, path)]));

/** Builds what has changed. */
export const build = async (say = () => {}) => {
  const sources = ["packages", "apps", "scripts/build.mjs", "package-lock.json"].map((path) =>
    newest(join(root, path)),
  );
  if (Math.max(...sources) <= newest(stamp)) return;
  say("Building the daemons, the CLI and the dashboard...");
  const started = performance.timeOrigin + performance.now();
  const { build: esbuild } = await import("esbuild");
  mkdirSync(dist, { recursive: true });
  const options = {
    outdir: dist,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: true,
    logLevel: "warning",
    external: [
      "onnxruntime-node",
      "sharp",
      "@duckdb/node-api",
      "canvas",
      "vega",
      "vega-lite",
      "@tensorflow/tfjs",
      "@tensorflow/tfjs-node",
    ],
    // CommonJS dependencies call require, which an ES module does not have.
    banner: {
      js: 'import { createRequire as createRequireOf } from "node:module"; const require = createRequireOf(import.meta.url);',
    },
  };
  // Whose licences a release needs, and which modules it takes along.
  const { metafile } = await esbuild({
    ...options,
    entryPoints: absolute(daemons),
    absWorkingDir: root,
    metafile: true,
  });
  writeFileSync(join(dist, "daemons.meta.json"), JSON.stringify(metafile));
  rmSync(join(dist, "pieces"), { recursive: true, force: true });
  await esbuild({ ...options, entryPoints: absolute(commands), splitting: true, chunkNames: "pieces/[hash]" });
  cpSync(join(root, "packages/classifier/models"), join(dist, "classifier"), { recursive: true });
  const { build: vite } = await import("vite");
  await vite({ configFile: join(root, "apps/cbs/vite.config.ts"), logLevel: "warn" });
  // The stamp is older than anything that changed while the build ran.
  writeFileSync(stamp, "");
  utimesSync(stamp, started / 1000, started / 1000);
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await build((line) => console.error(line));
