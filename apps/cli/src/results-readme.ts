import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TrialsTook } from "./local-trials.ts";

/** What made the files of an experiment: `made.json` in its folder. */
export interface Made {
  readonly experiment: string;
  readonly command: string;
  readonly commit: string;
  readonly seed: number;
  readonly trials: number;
  readonly trainings: number;
  /** Of all its trainings together, on one processor. */
  readonly processorSeconds: number;
  /** What the last command took that had to make any of them on this machine, and how many it made. */
  readonly took?: TrialsTook & { readonly trials: number };
}

/** Which part of the processors that its processes could have had a command has used, [0, 1]. */
const busyShare = ({ wallSeconds, processes, processorSeconds }: TrialsTook): number =>
  processorSeconds / wallSeconds / processes;

/** How long trials took, and what they were limited by. */
export const tookText = (took: Made["took"]): string => {
  if (took === undefined) return "";
  const { trials, wallSeconds, processes } = took;
  const busy = `${(100 * busyShare(took)).toFixed(0)} %`;
  return `${trials} trials in ${(wallSeconds / 60).toFixed(1)} min, ${processes} at once, each ${busy} of a processor`;
};

/** What made a folder the last time; undefined when nothing has. */
export const readMade = async (folder: string): Promise<Made | undefined> => {
  const text = await readFile(join(folder, madeFile), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Made);
};

export const madeFile = "made.json";

/** `README.md` of a folder of results: which command made what, from which code. */
export const writeResultsReadme = async (folder: string): Promise<void> => {
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const made = await Promise.all(
    names.map(async ({ name }) => {
      const found = await readMade(join(folder, name));
      return found === undefined ? [] : [{ name, ...found }];
    }),
  );
  const lines = made
    .flat()
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, command, commit, seed, trials, trainings, processorSeconds, took }) => {
      const cells = [
        `[${name}](${name}/report.txt)`,
        `\`${command}\``,
        `\`${commit}\``,
        seed,
        trials,
        trainings,
        (processorSeconds / 60).toFixed(1),
        tookText(took),
      ];
      return `| ${cells.join(" | ")} |`;
    });
  const text = [
    "# Results",
    "",
    "Made by `npx offload reproduce all --out results`, which goes on where it was stopped; each line also by its own command.",
    "In each folder: `report.txt` with what the command printed, `table.csv` and `table.tex`, `figure` and `curves` as SVG and",
    "PNG (and PDF, which the repository leaves out), `curves.csv` with how methods learned, and `orderings.csv` with which of",
    "the paper's claims hold. Means come with 95 % Student-t intervals over seeds. The manifests in `experiments/` say what the",
    "paper leaves open.",
    "",
    "| experiment | command | commit | seed | trials | trainings | processor minutes of training | made in |",
    "|---|---|---|---|---|---|---|---|",
    ...lines,
    "",
    "Trainings are shared: one of a method, a world and a seed serves every experiment that needs it, and counts in each.",
    "Made in: trials that the last command made which had any to make, those whose trainings were there included. Near 100 %,",
    "processors limit it; well below, trials waited: for processors that others used, for a disk, or for the last trial to end.",
    "",
  ].join("\n");
  await writeFile(join(folder, "README.md"), text);
};
