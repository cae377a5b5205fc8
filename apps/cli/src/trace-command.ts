import { Failure } from "@offloadlab/protocol";
import { taskTrace, traceText, trialsOf } from "@offloadlab/records";
import { openRun, runFolder } from "./archive-commands.ts";
import { exitCodes } from "./exit-codes.ts";
import { type Format, printResult } from "./output.ts";

/** `offload trace`: the life of one task across its device, its server and the C-BS. */
export const trace = async (
  run: string,
  task: string,
  options: { readonly runs: string; readonly trial?: number; readonly format: Format },
): Promise<void> => {
  const { run: contents, notice } = await openRun(await runFolder(run, options.runs));
  const { settings, journals, clockSpeed } = contents;
  const trials = trialsOf(journals, task);
  const trial = options.trial ?? (trials.length === 1 ? trials[0] : undefined);
  if (trial === undefined || !trials.includes(trial)) {
    const known =
      trials.length === 0
        ? `no trial of this run has a task ${task}`
        : `trials ${trials.join(", ")} have a task ${task}`;
    const advice = trials.length === 0 ? "tasks are called ed-1-1-0, ed-1-1-1 and so on" : "choose one with --trial";
    throw new Failure(
      "config/invalid",
      `${known}${options.trial === undefined ? "" : `, trial ${options.trial} has none`}; ${advice}`,
    );
  }
  const events = taskTrace(settings, journals, clockSpeed, trial, task);
  const text = [...notice, `trial ${trial}, task ${task}`, traceText(events)].join("\n");
  printResult(options.format, exitCodes.ok, text, { trial, task, events });
};
