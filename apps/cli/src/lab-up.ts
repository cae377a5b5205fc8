import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { imageSet, openClassifier, readImageSet } from "@offloadlab/classifier";
import { Failure, messageOf } from "@offloadlab/protocol";
import { type Manifest, readManifest, resultTable } from "@offloadlab/records";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { followRun } from "./follow-run.ts";
import { type Format, ProgressLine, printResult } from "./output.ts";
import { dashboardFolder, defaultManifest, distFolder } from "./paths.ts";
import { type LabAddress, Rehearsal } from "./rehearsal.ts";
import type { RunView } from "./station-client.ts";

export interface LabUpOptions {
  readonly experiment?: string;
  readonly images?: string;
  readonly classifier?: string;
  readonly runs: string;
  readonly home: string;
  readonly dashboardPort: number;
  readonly serve?: boolean;
  readonly format: Format;
}

const generatedImages = { seed: 1, count: 36 };

/** Where `offload run` finds the lab that is up. */
export const labFile = (home: string): string => join(home, "lab.json");

/** Reads a manifest's file. @throws Failure `config/invalid` listing every problem with its place */
export const loadManifest = async (file: string): Promise<{ text: string; manifest: Manifest }> => {
  const text = await readFile(file, "utf8").catch((error: Error) => {
    throw new Failure("config/invalid", `${file}: expected a manifest, ${error.message}`, { cause: error });
  });
  const manifest = readManifest(text, file);
  if ("problems" in manifest) throw new Failure("config/invalid", manifest.problems.join("\n"));
  return { text, manifest };
};

/** `offload lab up --rehearsal`: the whole lab on this machine, one comparison, and the dashboard until Ctrl-C. */
export const labUp = async (options: LabUpOptions): Promise<void> => {
  const progress = new ProgressLine();
  const stop = new AbortController();
  let interrupts = 0;
  const onInterrupt = (): void => {
    interrupts += 1;
    stop.abort();
    if (interrupts > 2) process.exit(exitCodes.interrupted);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onInterrupt);

  const home = resolve(options.home);
  const { text, manifest } = await loadManifest(options.experiment ?? defaultManifest);
  await refuseSecondLab(home);
  const images = await prepareImages(options, home, progress);
  await tryClassifier(options.classifier);
  if (stop.signal.aborted) return printResult(options.format, exitCodes.interrupted, "", { state: "interrupted" });

  const nodes = manifest.settings.communities.reduce((sum, { deviceCount }) => sum + 1 + deviceCount, 1);
  progress.update(`starting ${nodes} daemons`);
  const rehearsal = await Rehearsal.start({
    folder: join(home, "rehearsal"),
    runsFolder: resolve(options.runs),
    distFolder,
    dashboardFolder,
    dashboardPort: options.dashboardPort,
    images,
    classifier: options.classifier === undefined ? undefined : resolve(options.classifier),
    settings: manifest.settings,
    say: (line) => progress.done(line),
  });
  const { address, station } = rehearsal;
  try {
    await writeFile(labFile(home), JSON.stringify({ pid: process.pid, ...address }, null, 2), { mode: 0o600 });
    progress.done(`${nodes} daemons run; hardware is emulated, clock ${manifest.clockSpeed}x real time`);
    progress.done(`dashboard: ${address.dashboardUrl}`);
    if (stop.signal.aborted) return printResult(options.format, exitCodes.interrupted, "", { state: "interrupted" });
    const { id } = await station.begin(text);
    stop.signal.addEventListener("abort", () => {
      progress.done("stopping the run; its archive is sealed first");
      station.stop().catch((error: unknown) => progress.done(messageOf(error)));
    });
    const run = await followRun(station, id, progress);
    printRun(options.format, run, stop.signal.aborted, progress);
    const serve = options.serve ?? (process.stdout.isTTY === true && process.stdin.isTTY === true);
    if (serve && !stop.signal.aborted) {
      progress.done(`dashboard: ${address.dashboardUrl} (Ctrl-C ends the lab)`);
      await new Promise<void>((done) => stop.signal.addEventListener("abort", () => done()));
    }
  } finally {
    await rm(labFile(home), { force: true });
    await rehearsal.stop();
  }
};

/** The run's table and where its archive is; the exit status says whether it is valid. */
export const printRun = (format: Format, run: RunView, interrupted: boolean, progress: ProgressLine): void => {
  const code: ExitCode =
    run.state === "complete"
      ? exitCodes.ok
      : interrupted || run.state === "interrupted"
        ? exitCodes.interrupted
        : exitCodes.invalid;
  progress.done(`run ${run.id} is ${run.state}${run.reasons.length > 0 ? `: ${run.reasons.join("; ")}` : ""}`);
  const caption = `mean ± half width of the 95 % Student-t interval over n trials; emulated hardware, clock ${run.clockSpeed}x`;
  const text = `\n${resultTable(run.results)}\n\n${caption}\narchive: ${run.folder}`;
  printResult(format, code, text, {
    id: run.id,
    state: run.state,
    reasons: run.reasons,
    archive: run.folder,
    rows: run.results,
  });
};

/** The lab that is up. @throws Failure `peer/unreachable` when there is none */
export const readLab = async (home: string): Promise<LabAddress & { pid: number }> => {
  const text = await readFile(labFile(home), "utf8").catch(() => null);
  if (text === null)
    throw new Failure(
      "peer/unreachable",
      `no lab is up (${labFile(home)} is missing); start one with \`offload lab up --rehearsal\``,
    );
  return JSON.parse(text) as LabAddress & { pid: number };
};

const refuseSecondLab = async (home: string): Promise<void> => {
  await mkdir(home, { recursive: true });
  const lab = await readLab(home).catch(() => null);
  if (lab === null || !isAlive(lab.pid)) return;
  throw new Failure(
    "peer/refused",
    `a lab is up already (process ${lab.pid}); stop it with Ctrl-C there, or use another --home`,
  );
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** The user's images, or the generated ones, made once. */
const prepareImages = async (options: LabUpOptions, home: string, progress: ProgressLine): Promise<string> => {
  if (options.images !== undefined) {
    const { folder, images } = await readImageSet(resolve(options.images));
    progress.done(`${images.length} images from ${folder}`);
    return folder;
  }
  const set = await imageSet(join(home, "images"), generatedImages, (made) => {
    progress.update("images", `images: ${made} of ${generatedImages.count}`);
  });
  return set.folder;
};

/** A model that cannot be loaded is told before thirteen daemons fail on it. */
const tryClassifier = async (file: string | undefined): Promise<void> => {
  const classifier = await openClassifier(file === undefined ? undefined : resolve(file));
  await classifier.close();
};
