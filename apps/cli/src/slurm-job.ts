import { join } from "node:path";

/** Within a sweep's folder. */
export const slurmFiles = {
  folder: "slurm",
  script: "slurm/job.sh",
  job: "slurm/job.json",
  log: (jobId: string, task: number): string => `slurm/${jobId}_${task}.log`,
} as const;

/**
 * Trials in array tasks: in order, and equally many in each, give or take one.
 *
 * A scheduler spends seconds on every task, and clusters ask for few and long ones; more tasks than cores
 * that run at once even out long and short trials.
 *
 * @param maxTasks below Slurm's `MaxArraySize`, 1001 unless the cluster says otherwise
 * @param minTrials no task has fewer, unless there are fewer altogether
 */
export const chunksOf = (
  trials: readonly number[],
  { maxTasks, minTrials = 1 }: { readonly maxTasks: number; readonly minTrials?: number },
): readonly (readonly number[])[] => {
  if (maxTasks < 1 || minTrials < 1)
    throw new RangeError(`expected at least one task and trial, got ${maxTasks}, ${minTrials}`);
  const tasks = Math.min(maxTasks, trials.length, Math.max(Math.floor(trials.length / minTrials), 1));
  const start = (task: number): number => Math.floor((task * trials.length) / tasks);
  return Array.from({ length: tasks }, (_, task) => trials.slice(start(task), start(task + 1)));
};

/** What `sbatch --output` must be for `slurmFiles.log`: `%A` stands for the array, `%a` for the task. */
export const logPattern = (folder: string): string =>
  join(folder.replaceAll("%", "%%"), slurmFiles.folder, "%A_%a.log");

/** `1-4,7` */
export const rangesOf = (trials: readonly number[]): string => {
  const ranges: [first: number, last: number][] = [];
  for (const trial of trials) {
    const range = ranges.at(-1);
    if (range !== undefined && trial === range[1] + 1) range[1] = trial;
    else ranges.push([trial, trial]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join();
};

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/**
 * The script of every task of an array.
 *
 * It runs its trials in one process. When that fails, the trials that are not done run again, each in a process of
 * its own: one that crashes takes no other with it, even when nobody is there to submit the others again.
 *
 * @param folder of the sweep
 * @param command `trial <folder> <numbers>` is appended to it
 */
export const jobScript = (
  folder: string,
  command: readonly string[],
  chunks: readonly (readonly number[])[],
): string => `#!/usr/bin/env bash
#SBATCH --ntasks=1 --cpus-per-task=1
#SBATCH --requeue --open-mode=append
chunks=(
${chunks.map((chunk) => `  ${rangesOf(chunk)}`).join("\n")}
)
trials=\${chunks[$SLURM_ARRAY_TASK_ID]}

run() {
  echo "== trials $1 on $HOSTNAME"
  ${[...command, "trial", folder].map(quoted).join(" ")} "$1"
}

run "$trials" && exit
echo "== ended with $?; what is not done runs once more, one by one"
failed=0
for range in \${trials//,/ }; do
  for ((trial = \${range%-*}; trial <= \${range#*-}; trial++)); do
    [ -e ${quoted(join(folder, "trials"))}/$trial.json ] || run "$trial" || failed=$?
  done
done
exit $failed
`;
