import { resolve } from "node:path";
import { AuthorityFolder } from "@offloadlab/protocol";
import { exitCodes } from "./exit-codes.ts";
import { nodeOf, readInventory } from "./inventory.ts";
import { authorityFolder } from "./lab-station.ts";
import { prepareImages } from "./lab-up.ts";
import { type Format, ProgressLine, printResult } from "./output.ts";
import { type Playbook, type PlaybookOptions, runPlaybook } from "./playbook.ts";

export interface DeployOptions extends PlaybookOptions {
  readonly format: Format;
  readonly releases: string;
  readonly images?: string;
  readonly runs: string;
}

/** Any verb that is a playbook and needs nothing else. */
export const play = async (
  playbook: Playbook,
  options: PlaybookOptions & { readonly format: Format },
  variables: Readonly<Record<string, unknown>> = {},
): Promise<void> => {
  await readInventory(options.inventory);
  const recap = await runPlaybook(playbook, options, variables, new ProgressLine());
  printResult(options.format, exitCodes.ok, "", recap);
};

/** `offload deploy`: a release, keys and images onto every node of the lab. */
export const deploy = async (options: DeployOptions): Promise<void> => {
  await readInventory(options.inventory);
  const progress = new ProgressLine();
  if (options.check !== true) await AuthorityFolder.create(authorityFolder(options.home));
  const images = await prepareImages(options, progress, new AbortController().signal);
  const variables = { lab_releases: resolve(options.releases), lab_images: resolve(images) };
  const recap = await runPlaybook("deploy", options, variables, progress);
  printResult(options.format, exitCodes.ok, "", recap);
};

/** `offload collect`: archives of runs that have ended, from the C-BS to here. */
export const collect = (options: DeployOptions): Promise<void> =>
  play("collect", options, { lab_runs: resolve(options.runs) });

/** `offload remove`: a node leaves the lab; its certificate is refused from then on. */
export const remove = async (id: string, options: PlaybookOptions & { readonly format: Format }): Promise<void> => {
  nodeOf(await readInventory(options.inventory), id);
  await play("remove", options, { node: id });
};
