import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

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
}

export const madeFile = "made.json";

/** `README.md` of a folder of results: which command made what, from which code. */
export const writeResultsReadme = async (folder: string): Promise<void> => {
  const names = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const made = await Promise.all(
    names.map(async ({ name }) => {
      const text = await readFile(join(folder, name, madeFile), "utf8").catch(() => undefined);
      return text === undefined ? [] : [{ name, ...(JSON.parse(text) as Made) }];
    }),
  );
  const lines = made
    .flat()
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, command, commit, seed, trials, trainings, processorSeconds }) => {
      const cells = [
        `[${name}](${name}/report.txt)`,
        `\`${command}\``,
        `\`${commit}\``,
        seed,
        trials,
        trainings,
        (processorSeconds / 60).toFixed(1),
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
    "| experiment | command | commit | seed | trials | trainings | processor minutes of training |",
    "|---|---|---|---|---|---|---|",
    ...lines,
    "",
    "Trainings are shared: one of a method, a world and a seed serves every experiment that needs it, and counts in each.",
    "",
  ].join("\n");
  await writeFile(join(folder, "README.md"), text);
};
