import { basename, resolve } from "node:path";
import { calibrate, calibrationTable, calibrationText, writeDurably } from "@offloadlab/records";
import { openRun, runFolder } from "./archive-commands.ts";
import { exitCodes } from "./exit-codes.ts";
import { type Format, printResult } from "./output.ts";

/** `offload calibrate`: the simulator's settings as a run has measured them. */
export const calibrateRun = async (
  run: string,
  options: { readonly runs: string; readonly out?: string; readonly format: Format },
): Promise<void> => {
  const folder = await runFolder(run, options.runs);
  const { run: contents, notice } = await openRun(folder);
  const calibration = calibrate(contents);
  const file = resolve(options.out ?? `${basename(folder)}.settings.json`);
  await writeDurably(file, calibrationText(calibration, basename(folder)));
  const next = `written to ${file}; \`offload train --settings ${file} --out DIR\` trains for it`;
  const text = [...notice, calibrationTable(calibration), next].join("\n");
  const { latencies, fits } = calibration;
  printResult(options.format, exitCodes.ok, text, { file, latencies, fits });
};
