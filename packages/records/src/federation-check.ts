import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { aggregate, mixWeights, type Weights } from "@offloadlab/federation";
import { decodeSafetensors, encodeTensors } from "@offloadlab/learning";
import { archiveFiles, contentDigest } from "./archive.ts";
import { type FederationReplay, replayFederations } from "./federation-course.ts";
import type { AdoptedRecord, RoundRecord, UpdateRecord } from "./journal-records.ts";
import type { Journals } from "./reconcile.ts";

/**
 * Verifies the rounds of a run from its archive: that every plan, global model and mixture follows from what the servers
 * sent, and that the state which the C-BS kept is the one that its journal gives.
 *
 * @param complete whether the run came to its end, so that the kept state must be the last one
 * @returns `file: what is wrong`, empty when all holds or nothing was federated
 */
export const checkFederation = async (folder: string, journals: Journals, complete: boolean): Promise<string[]> => {
  const replays = replayFederations(journals.get("cbs") ?? []);
  return (await Promise.all(replays.map((replay) => checkOne(folder, journals, replay, complete)))).flat();
};

const checkOne = async (
  folder: string,
  journals: Journals,
  replay: FederationReplay,
  complete: boolean,
): Promise<string[]> => {
  const { policy } = replay.setup;
  const records = journals.get("cbs") ?? [];
  const inJournal = replay.problems.map((what) => `${archiveFiles.journal("cbs")}: ${policy}: ${what}`);
  const updates = records.filter((record) => record.kind === "update").filter((record) => record.policy === policy);
  const rounds = records.filter((record) => record.kind === "round").filter((record) => record.policy === policy);
  const files = (await Promise.all(updates.map((update) => checkUpdate(folder, update)))).flat();
  // Without intact updates, complaints about what was made of them would only hide the cause.
  if (files.length > 0) return [...inJournal, ...files];
  const models = await Promise.all(rounds.map((round) => checkRound(folder, round, replay, journals)));
  return [...inJournal, ...models.flat(), ...(complete ? await checkState(folder, replay) : [])];
};

const read = (folder: string, file: string): Promise<Buffer | undefined> =>
  readFile(join(folder, file)).catch(() => undefined);

const checkUpdate = async (folder: string, { policy, round, node, digest }: UpdateRecord): Promise<string[]> => {
  const file = archiveFiles.update(policy, round, node);
  const bytes = await read(folder, file);
  if (bytes === undefined) return [`${file}: missing, but ${archiveFiles.journal("cbs")} took it in`];
  return contentDigest(bytes) === digest ? [] : [`${file}: not what was taken in`];
};

const checkRound = async (
  folder: string,
  { policy, round, participants, digest, communities }: RoundRecord,
  { setup: { nodes } }: FederationReplay,
  journals: Journals,
): Promise<string[]> => {
  const file = archiveFiles.globalModel(policy, round);
  const bytes = await read(folder, file);
  if (bytes === undefined || contentDigest(bytes) !== digest) return [`${file}: not what was sent to the servers`];
  const sent = async (node: string): Promise<Weights> => {
    const update = await read(folder, archiveFiles.update(policy, round, node));
    return update === undefined ? {} : decodeSafetensors(update).tensors;
  };
  const models = participants.map(async (community) => ({ community, weights: await sent(nodes[community] ?? "") }));
  const global = aggregate(await Promise.all(models));
  const problems = contentDigest(encodeTensors(global)) === digest ? [] : [`${file}: not the mean of its participants`];
  for (const [community, node] of nodes.entries()) {
    const local = await sent(node);
    const share = communities[community]?.globalShare ?? 0;
    for (const record of journals.get(node) ?? []) {
      if (record.kind !== "adopted" || record.policy !== policy || record.round !== round) continue;
      if (!isMixture(record, digest, local, global, share)) {
        problems.push(`${archiveFiles.journal(node)}: round ${round}: not the mixture that the round gave`);
      }
    }
  }
  return problems;
};

/** A server that sent no weights mixed with some that are not in the archive: only what was mixed in is known. */
const isMixture = (record: AdoptedRecord, digest: string, local: Weights, global: Weights, share: number): boolean => {
  if (record.digest !== digest) return false;
  if (contentDigest(encodeTensors(local)) !== record.localDigest) return true;
  if (record.globalShare !== share) return false;
  return contentDigest(encodeTensors(mixWeights(local, global, share))) === record.weightsDigest;
};

const checkState = async (folder: string, { course, setup }: FederationReplay): Promise<string[]> => {
  const file = archiveFiles.federation(setup.policy);
  const text = (await read(folder, file))?.toString("utf8") ?? "null";
  const kept = (JSON.parse(text) as { course?: unknown } | null)?.course;
  const same = isDeepStrictEqual(kept, JSON.parse(JSON.stringify(course)));
  return same ? [] : [`${file}: not what a replay of the journal gives`];
};
