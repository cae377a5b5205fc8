import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeTensors } from "@offloadlab/learning";
import { type RandomStream, randomStream } from "@offloadlab/model";
import { createAuthority, issueIdentity, type Role } from "@offloadlab/protocol";
import {
  archiveFiles,
  checkFederation,
  contentDigest,
  type JournalRecord,
  readJournal,
  replayFederations,
} from "@offloadlab/records";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FederationMemory } from "../../apps/mec/src/federation-memory.ts";
import { nodes, type PartConfig, policy } from "./parts.ts";
import { SupervisedProcess } from "./supervised-process.ts";

const roundCount = 30;
const killCount = 100;
/** Kills of a round come within this real time from its start: during it, and while others still come back. */
const killMilliseconds = 2_000;

/** Beside the modules, which the programs need. */
const programs = join(import.meta.dirname, "../../node_modules/.cache/offloadlab/chaos");
let folder: string;
const processes: SupervisedProcess[] = [];
let ended = 0;
let asked = 0;
let tell: () => void = () => {};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "offloadlab-"));
  await build({
    entryPoints: ["station", "server", "device"].map((name) => join(import.meta.dirname, `${name}.ts`)),
    ...{ outdir: programs, outExtension: { ".js": ".mjs" }, bundle: true, platform: "node", format: "esm" },
    ...{ target: "node20", logLevel: "warning" },
    external: ["onnxruntime-node", "@tensorflow/tfjs", "@tensorflow/tfjs-node", "@duckdb/node-api", "sharp"],
    banner: {
      js: 'import { createRequire as createRequireOf } from "node:module"; const require = createRequireOf(import.meta.url);',
    },
  });
  const authority = await createAuthority(1);
  const ports = new Map<string, number>();
  const start = async (id: string, role: Role, program: string, peer?: string): Promise<void> => {
    const identity = await issueIdentity(authority, { id, role }, ["localhost"], join(folder, "keys"), 1);
    const port = await freePort();
    ports.set(id, port);
    const own = role === "cbs" ? join(folder, "run") : join(folder, id);
    const config: PartConfig = { id, identity, folder: own, port, peerPort: ports.get(peer ?? "") ?? 0 };
    const onMessage = (message: { ready?: boolean; ended?: number }): void => {
      if (message.ended !== undefined) ended = message.ended;
      // A station that comes back is told again what is asked of it.
      else if (role === "cbs" && asked > 0) supervised.send(asked);
      tell();
    };
    const supervised = new SupervisedProcess(
      join(programs, `${program}.mjs`),
      config,
      join(folder, `${id}.log`),
      onMessage,
    );
    processes.push(supervised);
  };
  await start("cbs", "cbs", "station");
  for (const id of nodes) await start(id, "mec", "server", "cbs");
  for (const id of nodes) await start(id.replace("mec", "ed"), "ed", "device", id);
});
afterAll(async () => {
  await Promise.all(processes.map((each) => each.stop()));
  await rm(folder, { recursive: true, force: true });
});

/** Resolves when the C-BS has ended a round. */
const roundEnded = async (round: number): Promise<void> => {
  asked = round;
  processes[0]?.send(round);
  while (ended < round) {
    await new Promise<void>((resolve) => {
      tell = resolve;
    });
  }
};

/** Kills some processes, each at a moment of its own. @returns whom */
const killSome = (count: number, random: RandomStream): Promise<string[]> =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const victim = processes[random.integer(processes.length)] as SupervisedProcess;
      await sleep(random.uniform(0, killMilliseconds));
      await victim.kill();
      return victim.id;
    }),
  );

test(`${killCount} kills over ${roundCount} rounds: every round ends, and the final state is the journals'`, async () => {
  const random = randomStream(2026, "chaos");
  const killed: string[] = [];
  for (let round = 1; round <= roundCount; round++) {
    const due = Math.round((killCount * round) / roundCount) - killed.length;
    const [victims] = await Promise.all([killSome(due, random), roundEnded(round)]);
    killed.push(...victims);
  }
  expect(killed).toHaveLength(killCount);
  for (const role of ["cbs", "mec", "ed"]) expect(killed.filter((id) => id.startsWith(role)).length).toBeGreaterThan(5);
  // Nobody was started by hand, and nothing ended but by a kill.
  const restarts = (): number => processes.reduce((sum, each) => sum + each.restarts, 0);
  await expect.poll(restarts).toBe(killCount);

  const journalOf = (file: string) => readJournal(file).catch((): JournalRecord[] => []);
  const station = join(folder, "run");
  const records = await journalOf(join(station, archiveFiles.journal("cbs")));
  const [replay] = replayFederations(records);
  expect(replay?.problems).toEqual([]);
  expect(replay?.course.round).toBe(roundCount);
  const kept = JSON.parse(await readFile(join(station, archiveFiles.federation(policy)), "utf8"));
  expect(kept.course).toEqual(JSON.parse(JSON.stringify(replay?.course)));

  // Every round has one end: averaged, or skipped with a reason.
  const ends = records.filter((record) => record.kind === "round" || record.kind === "round-skipped");
  expect(ends.map(({ round }) => round)).toEqual(Array.from({ length: roundCount }, (_, i) => i + 1));
  const averaged = ends.filter(({ kind }) => kind === "round").length;
  for (const end of ends)
    if (end.kind === "round-skipped") expect(end.reason).toMatch(/^only \d of 3 servers reported/);
  expect(averaged).toBeGreaterThan(roundCount / 3);
  console.log(`${averaged} rounds averaged, ${roundCount - averaged} skipped with a reason`);

  // Every server comes to the last result, and its state is the one that its journal tells of.
  const { result } = replay?.course ?? {};
  for (const node of nodes) {
    const memory = new FederationMemory(join(folder, node));
    await expect.poll(async () => (await memory.adopted())?.round, { timeout: 20_000 }).toBe(result?.round);
  }
  await Promise.all(processes.map((each) => each.stop()));
  const journals = new Map([["cbs", records]]);
  for (const node of nodes) {
    const own = await journalOf(join(folder, node, "journal.ndjson"));
    journals.set(node, own);
    const last = own.filter((record) => record.kind === "adopted").at(-1);
    const adopted = await new FederationMemory(join(folder, node)).adopted();
    expect(last).toMatchObject({ round: result?.round, digest: result?.digest });
    expect(last?.weightsDigest).toBe(contentDigest(encodeTensors(adopted?.weights ?? {})));
  }
  expect(await checkFederation(station, journals, true)).toEqual([]);
});
