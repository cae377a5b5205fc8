import { Failure, messageOf } from "@offloadlab/protocol";
import { followRun } from "./follow-run.ts";
import { bringHere } from "./inventory-lab.ts";
import { type LoadedManifest, loadManifest, printRun, readLab, type Work } from "./lab-up.ts";
import { type Format, ProgressLine } from "./output.ts";
import { policyFiles } from "./policy-files.ts";
import { StationClient } from "./station-client.ts";

/** Where the lab's files and its archives are. */
export interface LabPlaces {
  readonly home: string;
  readonly runs: string;
  readonly format: Format;
  /** Policies that the command line names. */
  readonly policy?: readonly string[];
}

/** `offload run`: an experiment on the lab that is up. */
export const run = async (file: string, options: LabPlaces): Promise<void> => {
  const loaded = await loadManifest(file, options.policy);
  await onLab(loaded, options, async (perform, progress, interrupted) => {
    await printRun(options, await perform(loaded.text), interrupted(), progress);
  });
};

/**
 * Works on the lab that is up; Ctrl-C ends the run that goes on.
 *
 * @param loaded whose agents are deployed, whatever of its manifest the work changes
 */
export const onLab = async (
  { manifest, manifestFile }: LoadedManifest,
  options: LabPlaces,
  work: Work,
): Promise<void> => {
  const { stationUrl, operator, inventory } = await readLab(options.home);
  const station = await StationClient.open(stationUrl, operator);
  const progress = new ProgressLine();
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
    station.stop().catch((error: unknown) => progress.done(messageOf(error)));
  };
  try {
    const agents = await policyFiles(manifest, { ...options, manifestFile }, progress);
    process.on("SIGINT", interrupt);
    const perform = async (text: string) => {
      if (interrupted) throw new Failure("peer/refused", "interrupted before the run began");
      const { id } = await station.begin(text, agents);
      const ended = await followRun(station, id, progress);
      return inventory === undefined ? ended : bringHere(ended, { ...options, inventory }, progress);
    };
    await work(perform, progress, () => interrupted);
  } finally {
    process.off("SIGINT", interrupt);
    await station.close();
  }
};
