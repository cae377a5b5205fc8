import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { imageSet, openClassifier, readImageSet } from "@offloadlab/classifier";
import { nodeIds } from "@offloadlab/model";
import { Failure, messageOf } from "@offloadlab/protocol";
import { type Manifest, readManifest } from "@offloadlab/records";
import type { AgentPlaces } from "./agent-files.ts";
import { drawRewards, runReport } from "./archive-commands.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { changedText } from "./experiment-source.ts";
import { followRun, isOver } from "./follow-run.ts";
import { type Format, ProgressLine, printResult } from "./output.ts";
import { dashboardFolder, distFolder, rehearsalManifest } from "./paths.ts";
import { policyFiles } from "./policy-files.ts";
import { type LabAddress, Rehearsal } from "./rehearsal.ts";
import { preferSession } from "./session-weight.ts";
import type { RunView, StationClient } from "./station-client.ts";

export interface LabUpOptions {
  readonly experiment?: string;
  /** Policies from outside, besides those of the experiment. */
  readonly policy?: readonly string[];
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

/** A manifest of the laboratory with its text. */
export interface LoadedManifest {
  readonly manifestFile: string;
  readonly text: string;
  readonly manifest: Manifest;
}

/**
 * Reads a manifest's file.
 *
 * @param policy policies from outside, besides those of the manifest
 * @throws Failure `config/invalid` listing every problem with its place
 */
export const loadManifest = async (manifestFile: string, policy: readonly string[] = []): Promise<LoadedManifest> => {
  const text = await readFile(manifestFile, "utf8").catch((error: Error) => {
    throw new Failure("config/invalid", `${manifestFile}: expected a manifest, ${error.message}`, { cause: error });
  });
  return labManifest(changedText(text, { policy }), manifestFile);
};

/** A manifest of which there is the text. @throws Failure `config/invalid` listing every problem with its place */
export const labManifest = (text: string, manifestFile: string): LoadedManifest => {
  const manifest = readManifest(text, manifestFile);
  if ("problems" in manifest) throw new Failure("config/invalid", manifest.problems.join("\n"));
  return { manifestFile, text, manifest };
};

/** What is done on a lab that is up, with its runs one after the other, each from a manifest's text to its end. */
export type Work = (
  perform: (text: string) => Promise<RunView>,
  progress: ProgressLine,
  interrupted: () => boolean,
) => Promise<void>;

/** `offload lab up --rehearsal`: the whole lab on this machine, one comparison, and the dashboard until Ctrl-C. */
export const labUp = async (options: LabUpOptions): Promise<void> => {
  const loaded = await loadManifest(options.experiment ?? rehearsalManifest, options.policy);
  const serve = options.serve ?? (process.stdout.isTTY === true && process.stdin.isTTY === true);
  await rehearsed(loaded, { ...options, serve }, async (perform, progress, interrupted) => {
    await printRun(options, await perform(loaded.text), interrupted(), progress);
  });
};

/** Starts the whole lab on this machine, works on it, and ends it again. */
export const rehearsed = async (loaded: LoadedManifest, options: LabUpOptions, work: Work): Promise<void> => {
  const progress = new ProgressLine();
  const stop = new AbortController();
  let interrupts = 0;
  const onInterrupt = (): void => {
    interrupts += 1;
    if (interrupts === 1) progress.done("stopping");
    stop.abort(new DOMException("interrupted", "AbortError"));
    if (interrupts > 2) process.exit(exitCodes.interrupted);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onInterrupt);

  const home = resolve(options.home);
  const lock = await lockHome(home);
  const leaveSession = preferSession();
  try {
    const { manifest, manifestFile } = loaded;
    await rehearse({ ...options, home, manifestFile }, manifest, work, progress, stop.signal, lock);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    printResult(options.format, exitCodes.interrupted, "", { state: "interrupted" });
  } finally {
    leaveSession();
    await lock.release();
  }
};

const rehearse = async (
  options: LabUpOptions & AgentPlaces,
  manifest: Manifest,
  work: Work,
  progress: ProgressLine,
  signal: AbortSignal,
  lock: HomeLock,
): Promise<void> => {
  const images = await prepareImages(options, progress, signal);
  await tryClassifier(options.classifier);
  const agents = await policyFiles(manifest, options, progress, signal);
  const nodes = nodeIds(manifest.settings).length + 1;
  progress.update(`starting ${nodes} daemons`);
  const rehearsal = await Rehearsal.start({
    folder: join(options.home, "rehearsal"),
    runsFolder: resolve(options.runs),
    distFolder,
    dashboardFolder,
    dashboardPort: options.dashboardPort,
    images,
    classifier: options.classifier === undefined ? undefined : resolve(options.classifier),
    settings: manifest.settings,
    say: (line) => progress.done(line),
    signal,
  });
  const { address, station } = rehearsal;
  try {
    await lock.write(address);
    progress.done(`${nodes} daemons run; hardware is emulated, clock ${manifest.clockSpeed}x real time`);
    progress.done(`dashboard: ${address.dashboardUrl}`);
    const interrupted = (): boolean => signal.aborted;
    await work((text) => performed(station, text, agents, progress, signal), progress, interrupted);
    if (options.serve !== true || signal.aborted) return;
    progress.done(`dashboard: ${address.dashboardUrl} (Ctrl-C ends the lab)`);
    await new Promise<void>((done) => signal.addEventListener("abort", () => done()));
    await endCurrentRun(station, progress);
  } finally {
    await rehearsal.stop();
  }
};

/** A run from its begin to its end; a signal has its archive sealed first. */
const performed = async (
  station: StationClient,
  text: string,
  agents: ReadonlyMap<string, Uint8Array>,
  progress: ProgressLine,
  signal: AbortSignal,
): Promise<RunView> => {
  const { id } = await station.begin(text, agents);
  const interrupt = (): void => {
    progress.done("the run's archive is sealed first");
    station.stop().catch((error: unknown) => progress.done(messageOf(error)));
  };
  if (signal.aborted) interrupt();
  signal.addEventListener("abort", interrupt);
  try {
    return await followRun(station, id, progress);
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
};

/** A run that somebody began with `offload run` ends as interrupted, with its archive sealed, before the lab does. */
const endCurrentRun = async (station: StationClient, progress: ProgressLine): Promise<void> => {
  const run = await station.current();
  if (run === null || isOver(run)) return;
  await station.stop();
  const ended = await followRun(station, run.id, progress);
  progress.done(`run ${ended.id} is ${ended.state}; archive: ${ended.folder}`);
};

/** Where a run's table and picture go. */
interface RunOutput {
  readonly format: Format;
  readonly home: string;
}

/**
 * The run's table, where its archive and its Fig. 11 are; the exit status says whether it is valid.
 *
 * @param more what else there is to say of it, as lines and as data
 */
export const printRun = async (
  { format, home }: RunOutput,
  run: RunView,
  interrupted: boolean,
  progress: ProgressLine,
  more: { readonly lines: readonly string[]; readonly data: object } = { lines: [], data: {} },
): Promise<void> => {
  const code: ExitCode =
    run.state === "complete"
      ? exitCodes.ok
      : interrupted || run.state === "interrupted"
        ? exitCodes.interrupted
        : exitCodes.invalid;
  progress.done(`run ${run.id} is ${run.state}${run.reasons.length > 0 ? `: ${run.reasons.join("; ")}` : ""}`);
  const { comparison, data: results } = await runReport(run.folder);
  const { abandoned, rows, answers, learnerDeaths, differences } = results;
  const folder = join(home, "figures", run.id);
  const figures = rows.length === 0 ? [] : await drawRewards(folder, run.folder, results);
  const text = [
    "",
    ...comparison,
    ...(figures.length === 0 ? [] : [`Fig. 11, rewards by community and policy: ${figures.join(", ")} in ${folder}`]),
    ...more.lines,
    `archive: ${run.folder}`,
  ].join("\n");
  printResult(format, code, text, {
    id: run.id,
    state: run.state,
    reasons: run.reasons,
    archive: run.folder,
    figures: figures.map((file) => join(folder, file)),
    abandoned,
    rows,
    answers,
    learnerDeaths,
    differences,
    ...more.data,
  });
};

/** The lab that is up. @throws Failure `peer/unreachable` when there is none */
export const readLab = async (home: string): Promise<LabAddress & { pid: number }> => {
  const text = await readFile(labFile(home), "utf8").catch(() => null);
  if (text === null)
    throw new Failure(
      "peer/unreachable",
      `no lab is up (${labFile(home)} is missing); start one with \`offload lab up\`, with --rehearsal on this machine`,
    );
  const lab = JSON.parse(text) as Partial<LabAddress> & { pid: number };
  if (lab.stationUrl === undefined)
    throw new Failure("peer/unreachable", "the lab is still starting; try again in a moment");
  return lab as LabAddress & { pid: number };
};

/** The file that says that a lab is up, from the first moment of its start to its end. */
interface HomeLock {
  readonly write: (address: LabAddress) => Promise<void>;
  readonly release: () => Promise<void>;
}

/** @throws Failure `peer/refused` while another lab is up in this home */
const lockHome = async (home: string): Promise<HomeLock> => {
  await mkdir(home, { recursive: true });
  const file = labFile(home);
  const held = await readFile(file, "utf8").then(
    (text) => JSON.parse(text) as { pid: number },
    () => null,
  );
  // What a killed lab has left behind.
  if (held !== null && !isAlive(held.pid)) await rm(file, { force: true });
  try {
    await writeFile(file, JSON.stringify({ pid: process.pid }), { flag: "wx", mode: 0o600 });
  } catch (error) {
    const who = held === null ? "" : ` (process ${held.pid})`;
    const advice = "stop it with Ctrl-C there, or use another --home";
    throw new Failure("peer/refused", `a lab is up already${who}; ${advice}`, { cause: error });
  }
  return {
    write: (address) => writeFile(file, JSON.stringify({ pid: process.pid, ...address }, null, 2)),
    release: () => rm(file, { force: true }),
  };
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
export const prepareImages = async (
  options: Pick<LabUpOptions, "images" | "home">,
  progress: ProgressLine,
  signal: AbortSignal,
): Promise<string> => {
  if (options.images !== undefined) {
    const { folder, images } = await readImageSet(resolve(options.images));
    progress.done(`${images.length} images from ${folder}`);
    return folder;
  }
  const { folder } = await imageSet(join(options.home, "images"), generatedImages, (made) => {
    signal.throwIfAborted();
    progress.update("images", `images: ${made} of ${generatedImages.count}`);
  });
  return folder;
};

/** A model that cannot be loaded is told before thirteen daemons fail on it. */
const tryClassifier = async (file: string | undefined): Promise<void> => {
  const classifier = await openClassifier(file === undefined ? undefined : resolve(file));
  await classifier.close();
};
