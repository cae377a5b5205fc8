import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FederationSettings, mcfTd3, pfrOa } from "@offloadlab/federation";
import type { AgentWeights } from "@offloadlab/learning";
import { presets } from "@offloadlab/model";
import { createAuthority, type Identity, issueIdentity, readTlsMaterial, type TlsMaterial } from "@offloadlab/protocol";
import { archiveFiles, checkFederation, contentDigest, Journal, LineWriter, readJournal } from "@offloadlab/records";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Conductor } from "../../apps/cbs/src/conductor.ts";
import { Federation } from "../../apps/cbs/src/federation.ts";
import { Registry } from "../../apps/cbs/src/registry.ts";
import { buildStationServer } from "../../apps/cbs/src/station-server.ts";
import { FederationClient } from "../../apps/mec/src/federation-client.ts";
import { SimulatedLearner } from "./simulated-learner.ts";

const policy = "pfr-oa";
const run = "a-run";
const nodes = ["mec-1", "mec-2", "mec-3"];
const unixNow = (): number => (performance.timeOrigin + performance.now()) / 1000;

let keys: string;
const materials = new Map<string, TlsMaterial>();
beforeAll(async () => {
  keys = await mkdtemp(join(tmpdir(), "offloadlab-"));
  const authority = await createAuthority(1);
  const identities: Identity[] = [{ id: "cbs", role: "cbs" }, ...nodes.map((id) => ({ id, role: "mec" as const }))];
  for (const identity of identities) {
    const files = await issueIdentity(authority, identity, ["localhost"], keys, 1);
    materials.set(identity.id, await readTlsMaterial(files));
  }
});
afterAll(() => rm(keys, { recursive: true, force: true }));

let folder: string;
let learners: SimulatedLearner[];
let members: Member[];
let station: Station;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-"));
  await mkdir(join(folder, "journals"));
  learners = nodes.map((_, community) => new SimulatedLearner(presets.testbed, community, 1));
  members = [];
});
afterEach(async () => {
  await Promise.all(members.map((member) => member.stop()));
  await station.stop();
  await Promise.all(learners.map((learner) => learner.close()));
  await rm(folder, { recursive: true, force: true });
});

/** A C-BS with a federation, in this process. */
class Station {
  readonly federation: Federation;
  readonly port: number;
  readonly #server: ReturnType<typeof buildStationServer>;
  readonly #journal: Journal;

  private constructor(federation: Federation, server: ReturnType<typeof buildStationServer>, journal: Journal) {
    this.federation = federation;
    this.#server = server;
    this.#journal = journal;
    this.port = (server.server.address() as AddressInfo).port;
  }

  static async start(settings: FederationSettings, port = 0): Promise<Station> {
    const journal = new Journal(await LineWriter.open(join(folder, archiveFiles.journal("cbs"))), unixNow);
    const shapes = (learners[0] as SimulatedLearner).shapes;
    const setup = { policy, nodes, shapes, settings, minimumReports: 2, seed: 1 };
    const log = (): void => {};
    const federation = await Federation.open({ run, folder, setup, deadlineSeconds: 2, journal, unixNow, log });
    const registry = new Registry();
    const conductor = new Conductor(folder, registry, unixNow, log);
    const tls = materials.get("cbs") as TlsMaterial;
    const server = buildStationServer({ tls, registry, conductor, federationOf: () => federation, unixNow, log });
    await server.listen({ host: "127.0.0.1", port });
    return new Station(federation, server, journal);
  }

  round(trial = 0) {
    return this.federation.runRound(trial, new AbortController().signal);
  }

  async stop(): Promise<void> {
    await this.#server.close();
    await this.#journal.close();
  }
}

/** A server that takes part, in this process; what it keeps is in its folder. */
class Member {
  readonly client: FederationClient;
  readonly #running: Promise<void>;
  readonly #journal: Journal;

  private constructor(client: FederationClient, journal: Journal) {
    this.client = client;
    this.#journal = journal;
    this.#running = client.run();
  }

  static async start(index: number): Promise<Member> {
    const node = nodes[index] as string;
    const journal = new Journal(await LineWriter.open(join(folder, archiveFiles.journal(node))), unixNow);
    const client = new FederationClient({
      ...{ run, policy, learner: learners[index] as SimulatedLearner, learnedRound: 0, log: () => {} },
      stationUrl: `https://localhost:${station.port}`,
      tls: materials.get(node) as TlsMaterial,
      folder: join(folder, "state", node),
      write: (record) => journal.write(record),
    });
    const member = new Member(client, journal);
    members.push(member);
    return member;
  }

  async stop(): Promise<void> {
    await this.client.close();
    await this.#running;
    await this.#journal.close();
    members = members.filter((member) => member !== this);
  }
}

const learn = (subSlots = 10) => Promise.all(learners.map((learner) => learner.learn(subSlots)));
const bitsOf = (weights: AgentWeights | undefined) =>
  Object.fromEntries(Object.entries(weights ?? {}).map(([name, network]) => [name, Buffer.from(network.buffer)]));
/** What the checker of archives says of the rounds. */
const problems = async (): Promise<string[]> => {
  await Promise.all(members.map((member) => member.stop()));
  await station.stop();
  const journals = new Map<string, Awaited<ReturnType<typeof readJournal>>>();
  for (const node of ["cbs", ...nodes]) {
    journals.set(node, await readJournal(join(folder, archiveFiles.journal(node))).catch(() => []));
  }
  const found = await checkFederation(folder, journals, true);
  station = await Station.start(pfrOa);
  return found;
};

test("Alg. 2 over the network: servers learn, report, and leave each round with what the plan says", async () => {
  station = await Station.start(pfrOa);
  for (const index of nodes.keys()) await Member.start(index);
  for (let round = 1; round <= 3; round++) {
    await learn();
    expect(await station.round(round)).toMatchObject({ kind: "average", plan: { round } });
    expect(members.map(({ client }) => client.round)).toEqual([round, round, round]);
  }
  // f_q = 0.3: near each other, and each its own.
  expect(bitsOf(learners[0]?.weights)).not.toEqual(bitsOf(learners[1]?.weights));
  const view = station.federation.view();
  expect(view).toMatchObject({ averagedRounds: 3, skippedRounds: 0, refusals: {}, starved: [] });
  for (const { members: all } of view.rounds) {
    for (const { updates, losses, uploadBytes } of all) {
      expect(updates).toBe(10);
      expect(Object.keys(losses).sort()).toEqual(["actor", "critic1", "critic2"]);
      expect(uploadBytes).toBeGreaterThan(1000);
    }
  }
  expect(await problems()).toEqual([]);
});

test("MCF-TD3 over the network is federated averaging: all leave a round with the same bits", async () => {
  station = await Station.start(mcfTd3);
  for (const index of nodes.keys()) await Member.start(index);
  await learn();
  await station.round();
  const [first, ...others] = learners.map((learner) => bitsOf(learner.weights));
  for (const other of others) expect(other).toEqual(first);
});

test("a server that is away for a round takes its result over when it is back, and reports to the next", async () => {
  station = await Station.start(pfrOa);
  for (const index of nodes.keys()) await Member.start(index);
  await learn();
  await members[2]?.stop();
  expect(await station.round()).toMatchObject({ kind: "average" });
  const before = bitsOf(learners[2]?.weights);
  const back = await Member.start(2);
  await expect.poll(() => back.client.round).toBe(1);
  expect(bitsOf(learners[2]?.weights)).not.toEqual(before);
  await learn();
  expect(await station.round()).toMatchObject({ kind: "average" });
  expect(station.federation.view().rounds.map(({ members: all }) => all[2]?.updates)).toEqual([null, 10]);
  expect(await problems()).toEqual([]);
});

test("a server that was restarted goes on from its last round", async () => {
  station = await Station.start(pfrOa);
  for (const index of nodes.keys()) await Member.start(index);
  await learn();
  await station.round();
  const after = bitsOf(learners[1]?.weights);
  await members[1]?.stop();
  // Its process is another one, and so is its learner.
  await learners[1]?.close();
  learners[1] = new SimulatedLearner(presets.testbed, 1, 1);
  expect(bitsOf(learners[1].weights)).not.toEqual(after);
  const back = await Member.start(1);
  await expect.poll(() => back.client.round).toBe(1);
  expect(bitsOf(learners[1].weights)).toEqual(after);
  await learn();
  expect(await station.round()).toMatchObject({ kind: "average" });
  expect(await problems()).toEqual([]);
});

test("a C-BS that was restarted goes on, and servers find it again", async () => {
  station = await Station.start(pfrOa);
  for (const index of nodes.keys()) await Member.start(index);
  await learn();
  await station.round();
  const { port } = station;
  const { course } = station.federation;
  await station.stop();
  await learn();
  station = await Station.start(pfrOa, port);
  expect(station.federation.course).toEqual(course);
  expect(await station.round()).toMatchObject({ kind: "average", plan: { round: 2 } });
  expect(await problems()).toEqual([]);
});

test("a server that learned nothing is not averaged; a round in which too few did is skipped", async () => {
  station = await Station.start(mcfTd3);
  for (const index of nodes.keys()) await Member.start(index);
  await Promise.all(learners.slice(0, 2).map((learner) => learner.learn(5)));
  expect(await station.round()).toMatchObject({ kind: "average", plan: { participants: [0, 1] } });
  await learners[2]?.learn(5);
  expect(await station.round()).toMatchObject({ kind: "skip" });
  expect(await problems()).toEqual([]);
});

test("a learner that has diverged says so and starts again from the global model", async () => {
  station = await Station.start(pfrOa);
  for (const index of nodes.keys()) await Member.start(index);
  await learn();
  const { actor, ...others } = learners[0]?.weights ?? {};
  await learners[0]?.adopt({ ...others, actor: (actor as Float32Array).fill(Number.NaN) }, undefined, false);
  // Its moments and targets are not finite after this either.
  await learners[0]?.learn(5);
  expect(await station.round()).toMatchObject({ kind: "average", plan: { participants: [1, 2] } });
  const global = await readFile(join(folder, archiveFiles.globalModel(policy, 1)));
  expect(contentDigest(global)).toBe(station.federation.course.result?.digest);
  const areFinite = () => Object.values(learners[0]?.weights ?? {}).every((network) => network.every(Number.isFinite));
  expect(areFinite()).toBe(true);
  await learners[0]?.learn(5);
  expect(areFinite()).toBe(true);
  expect(await problems()).toEqual([]);
});

test("the checker notices what does not follow: an update, a model, a mixture, a state that was changed", async () => {
  station = await Station.start(pfrOa);
  for (const index of nodes.keys()) await Member.start(index);
  await learn();
  await station.round();
  expect(await problems()).toEqual([]);
  const changedBy = async (file: string, change: (bytes: Buffer) => Buffer): Promise<string[]> => {
    const path = join(folder, file);
    const before = await readFile(path);
    await writeFile(path, change(before));
    const found = await problems();
    await writeFile(path, before);
    return found;
  };
  const flipped = (bytes: Buffer): Buffer => {
    const copy = Buffer.from(bytes);
    copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
    return copy;
  };
  const update = archiveFiles.update(policy, 1, "mec-2");
  expect(await changedBy(update, flipped)).toEqual([`${update}: not what was taken in`]);
  const model = archiveFiles.globalModel(policy, 1);
  expect(await changedBy(model, flipped)).toEqual([`${model}: not what was sent to the servers`]);
  const replaced = (from: string, to: string) => (bytes: Buffer) =>
    Buffer.from(bytes.toString("utf8").replace(from, to));
  const state = archiveFiles.federation(policy);
  expect(await changedBy(state, replaced('"round": 1', '"round": 2'))).toEqual([
    `${state}: not what a replay of the journal gives`,
  ]);
  const journal = archiveFiles.journal("mec-1");
  expect(await changedBy(journal, replaced('"weightsDigest":"sha-256=:', '"weightsDigest":"sha-256=:x'))).toEqual([
    `${journal}: round 1: not the mixture that the round gave`,
  ]);
});
