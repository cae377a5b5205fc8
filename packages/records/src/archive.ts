import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, rename } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { isPolicySource } from "@offloadlab/deployed";

/** How a run ended. */
export const runStates = ["complete", "invalid", "interrupted"] as const;
export type RunState = (typeof runStates)[number];

/** What a run's nodes ran on. */
export type Hardware = "emulated" | "linux";

/** The content of `status`, the archive's last file. */
export interface RunStatus {
  readonly state: RunState;
  /** Why it is not complete, one sentence each. */
  readonly reasons: readonly string[];
  /** SHA-256 of `checksums.sha256`. */
  readonly checksums: string;
}

const roundFolder = (policy: string, round: number): string =>
  `federation/${policy}/round-${String(round).padStart(4, "0")}`;

/** A file's name may be neither a path nor an address: what of it can be read, and a digest. */
const shippedFile = (name: string): string =>
  `policies/${name
    .replaceAll(/[^A-Za-z0-9.]+/g, "-")
    .replace(/^[-.]+/, "")
    .slice(-60)}-${sha256OfText(name).slice(0, 8)}.json`;

/**
 * The files of `runs/<id>/`:
 *
 * - `manifest.yaml` as given, `settings.json` resolved, `trials.json` the schedule with its seeds
 * - `policies/<name>.safetensors`, the agents of each learned policy as they were deployed, and `policies/<name>.json`, the
 *   models and cards of each policy from outside
 * - `environment/<node>.json`, `journals/<node>.ndjson`, `logs/<node>.ndjson`
 * - of each policy that was federated `federation/<policy>/state.json`, and of its rounds `round-<n>/<node>.safetensors` and
 *   `round-<n>/global.safetensors` beside it
 * - `results.json`, `results.txt`
 * - `checksums.sha256` of all of these, and `status`, written last
 */
export const archiveFiles = {
  manifest: "manifest.yaml",
  settings: "settings.json",
  trials: "trials.json",
  results: "results.json",
  table: "results.txt",
  checksums: "checksums.sha256",
  status: "status",
  policy: (name: string) => (isPolicySource(name) ? shippedFile(name) : `policies/${name}.safetensors`),
  environment: (node: string) => `environment/${node}.json`,
  journal: (node: string) => `journals/${node}.ndjson`,
  log: (node: string) => `logs/${node}.ndjson`,
  federation: (policy: string) => `federation/${policy}/state.json`,
  update: (policy: string, round: number, node: string) => `${roundFolder(policy, round)}/${node}.safetensors`,
  globalModel: (policy: string, round: number) => `${roundFolder(policy, round)}/global.safetensors`,
} as const;

/** Writes a file so that it is there whole or not at all, and on the disk. */
export const writeDurably = async (path: string, content: string | Uint8Array): Promise<void> => {
  const temporary = `${path}.part`;
  const file = await open(temporary, "w");
  await file.writeFile(content);
  await file.sync();
  await file.close();
  await rename(temporary, path);
  // The new name is an entry of its folder, which has to reach the disk as well.
  const folder = await open(dirname(path), "r");
  await folder.sync();
  await folder.close();
};

/** The value of `Content-Digest` (RFC 9530). */
export const contentDigest = (bytes: Uint8Array): string =>
  `sha-256=:${createHash("sha256").update(bytes).digest("base64")}:`;

export const sha256OfText = (text: string): string => createHash("sha256").update(text).digest("hex");

export const sha256OfFile = async (path: string): Promise<string> => {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest("hex");
};

/** Paths of an archive's files relative to it, sorted, but for `checksums.sha256` and `status`. */
export const contentFiles = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((file) => file !== archiveFiles.checksums && file !== archiveFiles.status)
    .sort();

/** `<sha256>  <file>` per line, as `sha256sum -c` reads it. */
export const checksumLines = async (folder: string): Promise<string> => {
  const lines = (await contentFiles(folder)).map(
    async (file) => `${await sha256OfFile(join(folder, file))}  ${file}\n`,
  );
  return (await Promise.all(lines)).join("");
};

/** The bytes of `status`: one line of JSON and one with its own SHA-256. */
export const statusText = (status: RunStatus): string => {
  const line = `${JSON.stringify(status)}\n`;
  return `${line}${sha256OfText(line)}\n`;
};

/** Seals an archive: checksums, then the status as the last file. After this nothing in it may change. */
export const sealArchive = async (folder: string, state: RunState, reasons: readonly string[]): Promise<void> => {
  const checksums = await checksumLines(folder);
  await writeDurably(join(folder, archiveFiles.checksums), checksums);
  await writeDurably(
    join(folder, archiveFiles.status),
    statusText({ state, reasons, checksums: sha256OfText(checksums) }),
  );
};
