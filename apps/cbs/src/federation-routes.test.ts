import { cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pfrOa } from "@offloadlab/federation";
import { encodeSafetensors } from "@offloadlab/learning";
import {
  clientTls,
  createAuthority,
  encodeUpdate,
  type FederationStatus,
  federationPath,
  type IdentityFiles,
  issueIdentity,
  largestWeights,
  type Role,
  readTlsMaterial,
  type UpdateReport,
} from "@offloadlab/protocol";
import { archiveFiles, contentDigest, Journal, type JournalRecord, LineWriter, readJournal } from "@offloadlab/records";
import { count, ratio } from "@offloadlab/units";
import { Client } from "undici";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Conductor } from "./conductor.ts";
import { Federation } from "./federation.ts";
import { Registry } from "./registry.ts";
import { buildStationServer } from "./station-server.ts";

const policy = "pfr-oa";
const run = "a-run";
const shapes = { actor: 3, critic: 2 };
const setup = {
  policy,
  nodes: ["mec-1", "mec-2", "mec-3"],
  shapes,
  settings: { ...pfrOa, participantCount: count(2), greedyProbability: ratio(1) },
  minimumReports: 2,
  seed: 1,
};
const unixNow = (): number => (performance.timeOrigin + performance.now()) / 1000;

let keys: string;
const identities = new Map<string, IdentityFiles>();
let folder: string;
let journal: Journal;
let federation: Federation | undefined;
let server: ReturnType<typeof buildStationServer>;
let url: string;
const clients = new Map<string, Client>();
let stop: AbortController;
let rounds: Promise<unknown>[];

beforeAll(async () => {
  keys = await mkdtemp(join(tmpdir(), "offloadlab-"));
  const authority = await createAuthority(1);
  const issue = async (id: string, role: Role): Promise<void> => {
    identities.set(id, await issueIdentity(authority, { id, role }, ["localhost"], keys, 1));
  };
  for (const id of ["mec-1", "mec-2", "mec-3", "mec-9"]) await issue(id, "mec");
  await issue("ed-1-1", "ed");
  await issue("cbs", "cbs");
});
afterAll(() => rm(keys, { recursive: true, force: true }));

const open = async (deadlineSeconds = 30): Promise<Federation> => {
  journal = new Journal(await LineWriter.open(join(folder, archiveFiles.journal("cbs"))), unixNow);
  return Federation.open({ run, folder, setup, deadlineSeconds, journal, unixNow, log: () => {} });
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-"));
  await mkdir(join(folder, "journals"));
  stop = new AbortController();
  rounds = [];
  federation = await open();
  const registry = new Registry();
  const conductor = new Conductor(folder, registry, unixNow, () => {});
  const tls = await readTlsMaterial(identities.get("cbs") as IdentityFiles);
  const federationOf = (name: string) => (name === policy ? federation : undefined);
  server = buildStationServer({ tls, registry, conductor, federationOf, unixNow, log: () => {} });
  await server.listen({ host: "127.0.0.1", port: 0 });
  url = `https://localhost:${(server.server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  stop.abort("the test is over");
  await Promise.all(rounds);
  for (const client of clients.values()) await client.destroy();
  clients.clear();
  await server.close();
  await journal.close();
  await rm(folder, { recursive: true, force: true });
});

const clientOf = async (id: string): Promise<Client> => {
  const known = clients.get(id);
  if (known !== undefined) return known;
  const tls = await readTlsMaterial(identities.get(id) as IdentityFiles);
  const client = new Client(url, { connect: clientTls(tls, "cbs") });
  clients.set(id, client);
  return client;
};

const call = async (id: string, method: "GET" | "PUT", path: string, body?: Uint8Array, digest?: string) => {
  const headers: Record<string, string> = { "content-type": "application/octet-stream" };
  if (body !== undefined) headers["content-digest"] = digest ?? contentDigest(body);
  const client = await clientOf(id);
  const answer = await client.request({ method, path: `${federationPath}${path}`, headers, body: body ?? null });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const json = (): { code?: string; title?: string } => JSON.parse(bytes.toString("utf8"));
  return { status: answer.statusCode, headers: answer.headers, bytes, json };
};

const weightsOf = (value: number) => ({
  actor: Float32Array.of(value, value, value),
  critic: Float32Array.of(value, value),
});
const reportOf = (round: number, change: Partial<UpdateReport> = {}): UpdateReport => ({
  ...{ run, policy, round, updates: 10, meanAbsoluteReward: 1, losses: { actor: 0, critic: 1 }, diverged: false },
  ...change,
});
const updateOf = (round: number, value: number, change: Partial<UpdateReport> = {}): Uint8Array =>
  encodeUpdate({ report: reportOf(round, change), weights: weightsOf(value) });
const put = (id: string, round: number, body: Uint8Array, digest?: string) =>
  call(id, "PUT", `/${policy}/${round}/update`, body, digest);
const statusOf = async (id: string, adopted = 0): Promise<NonNullable<FederationStatus["federation"]>> => {
  const { federation: told } = JSON.parse(
    (await call(id, "GET", `/${policy}?adopted=${adopted}`)).bytes.toString("utf8"),
  ) as FederationStatus;
  return told as NonNullable<typeof told>;
};
const records = async <K extends JournalRecord["kind"]>(kind: K): Promise<Extract<JournalRecord, { kind: K }>[]> => {
  await journal.flush();
  const all = await readJournal(join(folder, archiveFiles.journal("cbs")));
  return all.filter((record): record is Extract<JournalRecord, { kind: K }> => record.kind === kind);
};
/** Opens the next round, which ends with the test at the latest. */
const openRound = async (trial = 0) => {
  const current = federation as Federation;
  const end = current.runRound(trial, stop.signal);
  rounds.push(end);
  await expect.poll(() => current.status("mec-1").federation?.open, { interval: 2 }).toBeTruthy();
  return { end };
};

/** Forgets the federation and its files, as if the test had ended here. */
const abandon = async (): Promise<void> => {
  stop.abort("killed");
  await Promise.all(rounds);
  await journal.close();
  await rm(folder, { recursive: true });
  stop = new AbortController();
  rounds = [];
};

test("a round: opened, taken in, averaged, told to each, with what it makes of it", async () => {
  const { end } = await openRound(7);
  expect(await statusOf("mec-1")).toMatchObject({ run, shapes, open: { round: 1 }, result: null });
  for (const [index, id] of setup.nodes.entries()) {
    const losses = { actor: 0, critic: index };
    expect((await put(id, 1, updateOf(1, index, { losses }))).status).toBe(200);
  }
  // All have sent theirs: the deadline is not waited for, and neither is a server that takes long to take it over.
  for (const id of setup.nodes) await statusOf(id, 1);
  expect(await end).toMatchObject({ kind: "average", plan: { round: 1, participants: [0, 1] } });

  const { open: none, result } = await statusOf("mec-3", 1);
  expect(none).toBeNull();
  expect(result).toMatchObject({
    round: 1,
    globalShare: 0.3,
    proximalWeights: { actor: 0, critic: 0 },
    startsAnew: false,
  });
  const model = await call("mec-3", "GET", `/${policy}/1/global`);
  expect(model.headers["content-digest"]).toBe(result?.digest);
  expect(contentDigest(model.bytes)).toBe(result?.digest);
  expect(Buffer.compare(model.bytes, encodeSafetensors({ tensors: weightsOf(0.5), metadata: {} }))).toBe(0);
  expect(await records("round")).toMatchObject([{ policy, round: 1, participants: [0, 1], bytes: model.bytes.length }]);
  expect(await records("round-open")).toMatchObject([{ round: 1, trial: 7 }]);
  expect((await records("update")).map(({ node }) => node)).toEqual(setup.nodes);
  expect(federation?.view()).toMatchObject({ averagedRounds: 1, skippedRounds: 0, refusals: {} });
});

test("the same update again is as good as the first, another one is not", async () => {
  await openRound();
  expect((await put("mec-1", 1, updateOf(1, 1))).status).toBe(200);
  expect((await put("mec-1", 1, updateOf(1, 1))).status).toBe(200);
  const other = await put("mec-1", 1, updateOf(1, 2));
  expect([other.status, other.json().code]).toEqual([409, "update/stale"]);
  expect(await records("update")).toHaveLength(1);
});

test("two updates of one server at once are one", async () => {
  await openRound();
  const answers = await Promise.all([1, 2, 1, 2].map((value) => put("mec-1", 1, updateOf(1, value))));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 409, 409]);
  expect(await records("update")).toHaveLength(1);
});

describe("refuses, says why, counts it, and goes on", () => {
  const good = (): Uint8Array => updateOf(1, 1);
  const { actor, critic } = weightsOf(1);
  const cases: readonly [string, () => ReturnType<typeof call>, number, string][] = [
    ["an update of no run", () => put("mec-1", 1, updateOf(1, 1, { run: "another" })), 409, "update/stale"],
    ["an update made for another round", () => put("mec-1", 1, updateOf(2, 1)), 409, "update/stale"],
    ["an update for another round", () => put("mec-1", 2, updateOf(2, 1)), 409, "update/stale"],
    ["a round that is none", () => call("mec-1", "PUT", `/${policy}/0/update`, good()), 400, "wire/malformed"],
    ["a wrong digest", () => put("mec-1", 1, good(), contentDigest(updateOf(1, 2))), 400, "update/digest"],
    ["noise", () => put("mec-1", 1, Uint8Array.of(1, 2, 3)), 400, "wire/malformed"],
    ["nothing", () => put("mec-1", 1, new Uint8Array(0)), 400, "wire/malformed"],
    ["half an update", () => put("mec-1", 1, good().subarray(0, 200)), 400, "wire/malformed"],
    [
      "weights without a report",
      () => put("mec-1", 1, encodeSafetensors({ tensors: { actor, critic }, metadata: {} })),
      400,
      "wire/malformed",
    ],
    [
      "other networks",
      () => put("mec-1", 1, encodeUpdate({ report: reportOf(1), weights: { actor, critic: actor } })),
      422,
      "update/shape",
    ],
    [
      "weights that are not finite",
      () =>
        put("mec-1", 1, encodeUpdate({ report: reportOf(1), weights: { actor, critic: Float32Array.of(1, 1 / 0) } })),
      422,
      "update/not-finite",
    ],
    ["an oversized body", () => put("mec-1", 1, new Uint8Array(largestWeights(shapes) + 1)), 413, "wire/too-large"],
    ["a server of no community", () => put("mec-9", 1, good()), 403, "peer/forbidden"],
    ["a device", () => put("ed-1-1", 1, good()), 403, "peer/forbidden"],
  ];
  test.each(cases)("%s", async (_, send, status, code) => {
    await openRound();
    const answer = await send();
    expect([answer.status, answer.json().code]).toEqual([status, code]);
    expect(answer.json().title).toMatch(/\w{3}/);
    const [refusal] = await records("refusal");
    expect(refusal).toMatchObject({ policy, code, reason: answer.json().title });
    expect(federation?.view().refusals).toEqual({ [refusal?.node ?? ""]: { [code]: 1 } });
    expect((await put("mec-1", 1, good())).status).toBe(200);
  });

  test("what comes after the deadline", async () => {
    const { end } = await openRound();
    stop.abort("enough");
    expect(await end).toEqual({ kind: "skip", reason: "enough" });
    const late = await put("mec-1", 1, updateOf(1, 1));
    expect([late.status, late.json().code]).toEqual([409, "update/late"]);
  });

  test("an update where nothing is federated", async () => {
    federation = undefined;
    expect((await put("mec-1", 1, updateOf(1, 1))).json().code).toBe("update/stale");
  });

  test("a device that asks", async () => {
    expect((await call("ed-1-1", "GET", `/${policy}`)).status).toBe(403);
    expect((await call("ed-1-1", "GET", `/${policy}/1/global`)).status).toBe(403);
  });
});

test("a round without its minimum at the deadline is skipped with a reason", async () => {
  await journal.close();
  federation = await open(0.2);
  const { end } = await openRound();
  await put("mec-2", 1, updateOf(1, 1));
  expect(await end).toEqual({
    kind: "skip",
    reason: "only 1 of 3 servers reported what they have learned, 2 are needed",
  });
  expect(await statusOf("mec-2")).toMatchObject({ open: null, result: null });
  expect(await records("round-skipped")).toMatchObject([{ round: 1 }]);
  expect(federation.course.round).toBe(1);
});

test("a server that asks again with the token is answered when there is news", async () => {
  const first = JSON.parse((await call("mec-1", "GET", `/${policy}`)).bytes.toString("utf8")) as FederationStatus;
  const answer = call("mec-1", "GET", `/${policy}?token=${first.token}`);
  let answered = false;
  void answer.then(() => {
    answered = true;
  });
  // Another server's question goes there and back meanwhile.
  await call("mec-2", "GET", `/${policy}`);
  expect(answered).toBe(false);
  await openRound();
  const told = JSON.parse((await answer).bytes.toString("utf8")) as FederationStatus;
  expect(told.federation?.open?.round).toBe(1);
});

test("a C-BS that was killed in the midst of a round goes on with it, and its journal tells of everything once", async () => {
  await openRound(4);
  await put("mec-1", 1, updateOf(1, 1));
  await put("mec-2", 1, updateOf(1, 2));
  // What a killed process leaves: its files.
  const left = await mkdtemp(join(tmpdir(), "offloadlab-"));
  await cp(folder, left, { recursive: true });
  await abandon();
  folder = left;
  federation = await open();
  const { end } = await openRound(4);
  expect((await put("mec-1", 1, updateOf(1, 1))).status).toBe(200);
  expect((await put("mec-3", 1, updateOf(1, 3))).status).toBe(200);
  for (const id of setup.nodes) await statusOf(id, 1);
  expect(await end).toMatchObject({ kind: "average" });
  expect(await records("federation")).toHaveLength(1);
  expect(await records("round-open")).toHaveLength(1);
  expect((await records("update")).map(({ node }) => node)).toEqual(setup.nodes);
});

test("a C-BS that was killed before it wrote its journal completes it", async () => {
  const { end } = await openRound();
  for (const id of setup.nodes) await put(id, 1, updateOf(1, 1));
  for (const id of setup.nodes) await statusOf(id, 1);
  await end;
  const file = join(folder, archiveFiles.journal("cbs"));
  const whole = (await readFile(file, "utf8")).trimEnd().split("\n");
  await journal.close();
  for (let lines = 0; lines <= whole.length; lines++) {
    const kept = whole.slice(0, lines);
    // Before a round is averaged, its updates have been written.
    if (kept.filter((line) => line.includes('"update"')).length < 3) continue;
    await rm(file);
    const writer = await LineWriter.open(file);
    for (const line of kept) writer.append(line);
    await writer.close();
    federation = await open();
    expect(await records("round")).toHaveLength(1);
    expect(federation.view().averagedRounds).toBe(1);
    await journal.close();
  }
  journal = new Journal(await LineWriter.open(file), unixNow);
});

test("runs are for operators alone", async () => {
  const client = await clientOf("mec-1");
  const answer = await client.request({ method: "GET", path: "/api/v1/runs/current" });
  await answer.body.dump();
  expect(answer.statusCode).toBe(403);
});
