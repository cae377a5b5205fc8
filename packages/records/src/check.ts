import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type ShippedModels, shippedModels } from "@offloadlab/deployed";
import { type Settings, settingsFromFile } from "@offloadlab/model";
import { type Deployment, decodeDeployment } from "@offloadlab/simulation";
import {
  archiveFiles,
  checksumLines,
  contentFiles,
  type Hardware,
  type RunStatus,
  runStates,
  sha256OfText,
  statusText,
} from "./archive.ts";
import {
  type AbandonedTrial,
  abandonedTrials,
  attemptProblems,
  attemptsOf,
  endedTrials,
  tooManyAbandoned,
} from "./attempts.ts";
import { checkJournals } from "./check-journals.ts";
import { violatedConditions } from "./conditions.ts";
import { checkFederation } from "./federation-check.ts";
import { readJournal } from "./journal.ts";
import type { JournalRecord } from "./journal-records.ts";
import type { LaboratoryChoice } from "./laboratory-keys.ts";
import type { Deployed } from "./laboratory-policy.ts";
import { readManifest, shippedNames } from "./manifest.ts";
import { taskFates } from "./reconcile.ts";
import { type ResultRow, resultRows, trialSums } from "./results.ts";
import type { Trial } from "./schedule.ts";

/** What the checker found. An archive is accepted when there are no problems; it may still say of itself that it is invalid. */
export interface CheckReport {
  readonly folder: string;
  readonly status: RunStatus | null;
  /** `file: what is wrong`. */
  readonly problems: readonly string[];
  readonly tasks: number;
  readonly trials: number;
  /** Trials that a lost node cut short. */
  readonly abandoned: readonly AbandonedTrial[];
}

/**
 * Verifies an archive from its files alone: that no byte has changed since it was sealed, that every generated task has
 * one outcome, that C1-C5 hold on every applied action, that clocks never go back, and that the results follow from the
 * journals, the rounds of a federation included, and every abandoned trial has its reason and its repetition.
 */
export const checkArchive = async (folder: string): Promise<CheckReport> => {
  const { status, problems } = await checkSeal(folder);
  // What follows reads the content; without intact bytes its complaints would only hide the cause.
  if (problems.length > 0) return { folder, status, problems, tasks: 0, trials: 0, abandoned: [] };
  const run = await readRun(folder).catch((error: Error) => error);
  if (run instanceof Error)
    return { folder, status, problems: [`content: ${run.message}`], tasks: 0, trials: 0, abandoned: [] };
  const complete = status?.state === "complete";
  const attempts = attemptProblems(run.scheduled, run.journals.get("cbs") ?? [], complete);
  const contents = [
    ...attempts.map((what) => `${archiveFiles.journal("cbs")}: ${what}`),
    ...checkJournals(run.settings, run.trials, run.journals, complete),
    ...(await checkFederation(folder, run.journals, complete)),
  ];
  if (complete && run.trials.length < run.scheduled.length) {
    contents.push(
      `${archiveFiles.journal("cbs")}: ${run.trials.length} of ${run.scheduled.length} trials came to their end, but the run calls itself complete`,
    );
  }
  const tooMany = tooManyAbandoned(run.scheduled, run.abandoned);
  if (complete && tooMany !== null) contents.push(`${archiveFiles.status}: complete, but ${tooMany}`);
  if (complete)
    contents.push(...violatedConditions(run).map((what) => `${archiveFiles.status}: complete, but ${what}`));
  const fates = taskFates(run.journals);
  const rows = resultRows(trialSums(run.settings, run.trials, fates));
  if (!sameRows(rows, (run.results as { rows?: unknown } | null)?.rows)) {
    contents.push(`${archiveFiles.results}: the rows do not follow from the journals`);
  }
  return {
    folder,
    status,
    problems: contents,
    tasks: fates.length,
    trials: run.trials.length,
    abandoned: run.abandoned,
  };
};

/** Whether rows are the same ones, in whatever order. */
const sameRows = (rows: readonly ResultRow[], written: unknown): boolean => {
  const keyOf = (row: ResultRow | null): string => `${row?.policy} ${row?.community}`;
  const sorted = (list: readonly (ResultRow | null)[]) =>
    [...list].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : Number(keyOf(a) > keyOf(b))));
  const asWritten = JSON.parse(JSON.stringify(rows)) as ResultRow[];
  return Array.isArray(written) && isDeepStrictEqual(sorted(written), sorted(asWritten));
};

/** What an archive holds, read. */
export interface RunContents extends Deployed {
  readonly settings: Settings;
  readonly scheduled: readonly Trial[];
  /** Those that came to their end, in the order of the schedule; the others count for nothing. */
  readonly trials: readonly Trial[];
  readonly abandoned: readonly AbandonedTrial[];
  readonly journals: ReadonlyMap<string, readonly JournalRecord[]>;
  readonly results: unknown;
  /** What the devices' constants were drawn from. */
  readonly deviceSeed: number;
  /** Lab seconds per real second. */
  readonly clockSpeed: number;
  readonly laboratory: LaboratoryChoice;
  /** `linux` when every node was real; one emulated node makes the run's numbers emulated ones. */
  readonly hardware: Hardware;
}

/**
 * Reads an archive's content, sealed or not.
 *
 * @throws Error when a file is missing or does not hold what it should
 */
export const readRun = async (folder: string): Promise<RunContents> => {
  const json = async (file: string): Promise<unknown> =>
    JSON.parse(await readFile(join(folder, file), "utf8")) as unknown;
  const journals = new Map<string, readonly JournalRecord[]>();
  const hardware: unknown[] = [];
  const deployments = new Map<string, Deployment>();
  for (const file of await contentFiles(folder)) {
    const node = /^journals\/(.+)\.ndjson$/.exec(file)?.[1];
    if (node !== undefined) journals.set(node, await readJournal(join(folder, file)));
    const policy = /^policies\/(.+)\.safetensors$/.exec(file)?.[1];
    if (policy !== undefined) deployments.set(policy, decodeDeployment(await readFile(join(folder, file))));
    if (/^environment\/.+\.json$/.test(file))
      hardware.push(((await json(file)) as { hardware?: unknown } | null)?.hardware);
  }
  const manifest = readManifest(await readFile(join(folder, archiveFiles.manifest), "utf8"), archiveFiles.manifest);
  if ("problems" in manifest) throw new SyntaxError(manifest.problems.join("; "));
  const models = new Map<string, ShippedModels>();
  for (const name of shippedNames(manifest))
    models.set(name, shippedModels(await readFile(join(folder, archiveFiles.policy(name)))));
  const { learning, link, uplinkRateRatios } = manifest;
  const attempts = attemptsOf(journals.get("cbs") ?? []);
  const scheduled = (await json(archiveFiles.trials)) as Trial[];
  return {
    settings: settingsFromFile(await json(archiveFiles.settings)),
    scheduled,
    trials: endedTrials(scheduled, attempts),
    abandoned: abandonedTrials(scheduled, attempts),
    journals,
    deployments,
    models,
    results: await json(archiveFiles.results).catch(() => null),
    deviceSeed: manifest.seed,
    clockSpeed: manifest.clockSpeed,
    laboratory: { learning, link, uplinkRateRatios },
    hardware: hardware.length > 0 && hardware.every((each) => each === "linux") ? "linux" : "emulated",
  };
};

const checkSeal = async (folder: string): Promise<{ status: RunStatus | null; problems: string[] }> => {
  const text = await readFile(join(folder, archiveFiles.status), "utf8").catch(() => null);
  if (text === null) return { status: null, problems: [`${archiveFiles.status}: missing; the run was not sealed`] };
  const status = readStatus(text);
  if (status === null) return { status, problems: [`${archiveFiles.status}: not as it was written`] };
  const listed = await readFile(join(folder, archiveFiles.checksums), "utf8").catch(() => "");
  if (sha256OfText(listed) !== status.checksums)
    return { status, problems: [`${archiveFiles.checksums}: not as it was written`] };
  const before = linesByFile(listed);
  const now = linesByFile(await checksumLines(folder));
  const problems = [...new Set([...before.keys(), ...now.keys()])].sort().flatMap((file) => {
    if (!now.has(file)) return [`${file}: missing`];
    if (!before.has(file)) return [`${file}: was not there when the run was sealed`];
    return before.get(file) === now.get(file) ? [] : [`${file}: changed since the run was sealed`];
  });
  return { status, problems };
};

/** The status, or null when its bytes are not those that `statusText` writes. */
export const readStatus = (text: string): RunStatus | null => {
  try {
    const status = JSON.parse(text.split("\n")[0] ?? "") as RunStatus;
    return runStates.includes(status.state) && statusText(status) === text ? status : null;
  } catch {
    return null;
  }
};

const linesByFile = (checksums: string): Map<string, string> =>
  new Map(
    checksums
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => [line.slice(66), line.slice(0, 64)]),
  );
