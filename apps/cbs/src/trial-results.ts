import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Settings } from "@offloadlab/model";
import type { LiveEpoch } from "@offloadlab/protocol";
import {
  type AnswerRow,
  answerRows,
  archiveFiles,
  type JournalRecord,
  type Journals,
  laboratoryAnswers,
  parseJournal,
  type ResultRow,
  resultRows,
  type Trial,
  type TrialSums,
  taskFates,
  trialSums,
} from "@offloadlab/records";

/**
 * What the trials that have come to their end say: the comparison, how the policies that learn did in each, and how often
 * those from outside did not decide themselves.
 */
export interface Results {
  readonly results: readonly ResultRow[];
  readonly learning: readonly LiveEpoch[];
  readonly answers: readonly AnswerRow[];
}

/** What is kept of trials when their journals have been read. */
export interface TrialFacts {
  /** By trial and community. */
  readonly sums: readonly TrialSums[];
  /** Trials in which a server learned. */
  readonly learned: ReadonlySet<number>;
  readonly answers: readonly AnswerRow[];
}

/** What the journals say of trials. */
export const factsOf = (settings: Settings, trials: readonly Trial[], journals: Journals): TrialFacts => ({
  sums: trialSums(settings, trials, taskFates(journals)),
  learned: new Set(
    [...journals.values()].flat().flatMap((record) => (record.kind === "learning" ? [record.trial] : [])),
  ),
  answers: laboratoryAnswers(settings, trials, journals),
});

const together = (a: TrialFacts, b: TrialFacts): TrialFacts => ({
  sums: [...a.sums, ...b.sums],
  learned: new Set([...a.learned, ...b.learned]),
  answers: answerRows(
    [...a.answers, ...b.answers].map(({ policy, community, ...answers }) => ({ policy, community, answers })),
  ),
});

export const resultsFrom = (
  { communities }: Settings,
  trials: readonly Trial[],
  { sums, learned, answers }: TrialFacts,
): Results => ({
  results: resultRows(sums),
  answers,
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
  #facts: TrialFacts = { sums: [], learned: new Set(), answers: [] };

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
    this.#facts = together(this.#facts, factsOf(this.#settings, trials, journals));
    return resultsFrom(this.#settings, this.#trials, this.#facts);
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
