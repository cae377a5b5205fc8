import { replayRun, replayText, resultCaption } from "@offloadlab/records";
import { openRun, runFolder } from "./archive-commands.ts";
import { exitCodes } from "./exit-codes.ts";
import { type Format, printResult } from "./output.ts";

/** `offload replay`: a run's trials again in the simulator, how far the laboratory is from it, and why. */
export const replay = async (run: string, options: { runs: string; format: Format }): Promise<void> => {
  const { text, data } = await runReplay(await runFolder(run, options.runs));
  printResult(options.format, exitCodes.ok, text, data);
};

/** What `replay` prints. @throws Failure `archive/damaged` when the content cannot be read */
export const runReplay = async (folder: string) => {
  const { run, state, reasons, notice } = await openRun(folder);
  const { hardware, clockSpeed } = run;
  const replayed = await replayRun(run);
  const text = [...notice, replayText(replayed, resultCaption(hardware, clockSpeed))].join("\n");
  return { text, data: { folder, state, reasons, hardware, clockSpeed, ...replayed } };
};
