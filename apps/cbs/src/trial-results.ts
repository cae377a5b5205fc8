import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Settings } from "@offloadlab/model";
import type { LiveEpoch } from "@offloadlab/protocol";
import {
  archiveFiles,
  type JournalRecord,
  type Journals,
  parseJournal,
  type ResultRow,
  resultRows,
  type Trial,
  type TrialSums,
  taskFates,
  trialSums,
} from "@offloadlab/records";

/** What the trials that have come to their end say: the comparison, and how the policies that learn did in each. */
export interface Results {
  readonly results: readonly ResultRow[];
  readonly learning: readonly LiveEpoch[];
}

/** @param sums of the trials, by trial and community */
export const resultsFrom = (
  { communities }: Settings,
  trials: readonly Trial[],
  learned: ReadonlySet<number>,
  sums: readonly TrialSums[],
): Results => ({
  results: resultRows(sums),
  learning: trials
    .filter(({ number }) => learned.has(number))
    .map(({ number: trial, policy }) => ({
      policy,
      trial,
      rewardPerTask: communities.map(({ name }) => {
        const sum = sums.find((each) => each.trial === trial && each.community === name);
        return sum === undefined || sum.tasks === 0 ? null : sum.reward / sum.tasks;
      }),
    })),
});

/** The trials in which a server learned. */
export const learnedTrials = (journals: Journals): Set<number> =>
  new Set([...journals.values()].flat().flatMap((record) => (record.kind === "learning" ? [record.trial] : [])));

/**
 * The results of a run while it lasts: after each trial only what the journals have grown by is read, so that the
 * thousandth trial costs no more than the first.
 */
export class TrialResults {
  readonly #folder: string;
  readonly #settings: Settings;
  readonly #nodes: readonly string[];
  /** Bytes of each node's journal that have been read. */
  readonly #read = new Map<string, number>();
  readonly #trials: Trial[] = [];
  readonly #sums: TrialSums[] = [];
  readonly #learned = new Set<number>();

  constructor(folder: string, settings: Settings, nodes: readonly string[]) {
    this.#folder = folder;
    this.#settings = settings;
    this.#nodes = nodes;
  }

  /** Passes over what nodes have journalled so far. */
  async skip(): Promise<void> {
    for (const node of this.#nodes) await this.#growth(node);
  }

  /** The results with trials that have come to their end, whose journals are here. */
  async add(...trials: readonly Trial[]): Promise<Results> {
    const numbers = new Set(trials.map(({ number }) => number));
    const journals = new Map<string, readonly JournalRecord[]>();
    for (const node of this.#nodes) {
      const records = parseJournal(await this.#growth(node), archiveFiles.journal(node));
      journals.set(
        node,
        records.filter((record) => "trial" in record && numbers.has(record.trial)),
      );
    }
    this.#trials.push(...trials);
    this.#sums.push(...trialSums(this.#settings, trials, taskFates(journals)));
    for (const number of learnedTrials(journals)) this.#learned.add(number);
    return resultsFrom(this.#settings, this.#trials, this.#learned, this.#sums);
  }

  /** Whole lines that a journal has grown by. */
  async #growth(node: string): Promise<string> {
    const file = await open(join(this.#folder, archiveFiles.journal(node)), "r");
    try {
      const from = this.#read.get(node) ?? 0;
      const bytes = Buffer.alloc((await file.stat()).size - from);
      await file.read(bytes, 0, bytes.length, from);
      const end = bytes.lastIndexOf(0x0a) + 1;
      this.#read.set(node, from + end);
      return bytes.toString("utf8", 0, end);
    } finally {
      await file.close();
    }
  }
}
