import { type FileHandle, mkdir, open, readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { settingsToFile } from "@offloadlab/model";
import type { Environment, RunFile } from "@offloadlab/protocol";
import { archiveFiles, type Manifest, type Trial, writeDurably } from "@offloadlab/records";

/** A piece of a node's file, as `append` brings it. */
export interface Piece {
  readonly node: string;
  readonly file: RunFile;
  readonly offset: number;
  readonly text: string;
}

/** Files of the agents of learned policies, by the policies' names. */
export type AgentFiles = ReadonlyMap<string, Uint8Array>;

/** The folder of a run that is not sealed yet: takes what the nodes ship. */
export class RunFolder {
  readonly path: string;
  readonly #files = new Map<string, Promise<FileHandle>>();
  readonly #sizes = new Map<string, number>();
  #appending: Promise<unknown> = Promise.resolve();
  #describing: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.path = path;
  }

  /** Makes the folder of a new run. @param agents files of the learned policies, by name */
  static async create(
    path: string,
    manifestText: string,
    manifest: Manifest,
    trials: readonly Trial[],
    agents: AgentFiles = new Map(),
  ): Promise<RunFolder> {
    for (const folder of ["environment", "journals", "logs", ...(agents.size > 0 ? ["policies"] : [])])
      await mkdir(join(path, folder), { recursive: true });
    await writeDurably(join(path, archiveFiles.manifest), manifestText);
    await writeDurably(
      join(path, archiveFiles.settings),
      `${JSON.stringify(settingsToFile(manifest.settings), null, 2)}\n`,
    );
    await writeDurably(join(path, archiveFiles.trials), `${JSON.stringify(trials, null, 2)}\n`);
    for (const [name, bytes] of agents) await writeDurably(join(path, archiveFiles.policy(name)), bytes);
    return new RunFolder(path);
  }

  /** Runs in a folder that were never sealed: a C-BS was killed in the midst of them. */
  static async unsealed(runsFolder: string): Promise<string[]> {
    const entries = await readdir(runsFolder, { withFileTypes: true }).catch(() => []);
    const has = (name: string, file: string): Promise<boolean> =>
      stat(join(runsFolder, name, file)).then(
        () => true,
        () => false,
      );
    const open: string[] = [];
    for (const { name } of entries) {
      if ((await has(name, archiveFiles.manifest)) && !(await has(name, archiveFiles.status))) open.push(name);
    }
    return open.sort();
  }

  /** Bytes of a node's file that are here. */
  async size(node: string, file: RunFile): Promise<number> {
    const name = nameOf(node, file);
    const known = this.#sizes.get(name);
    if (known !== undefined) return known;
    const size = await stat(join(this.path, name)).then(
      (s) => s.size,
      () => 0,
    );
    this.#sizes.set(name, this.#sizes.get(name) ?? size);
    return this.#sizes.get(name) ?? size;
  }

  /** Appends a piece if it follows what is here; returns the size after it, synced to the disk. */
  append(piece: Piece): Promise<number> {
    const result = this.#appending.then(() => this.#append(piece));
    this.#appending = result.catch(() => undefined);
    return result;
  }

  async #append({ node, file, offset, text }: Piece): Promise<number> {
    const size = await this.size(node, file);
    // Shipped again after a reconnection, or beyond a gap: the node is told where to go on.
    if (offset !== size) return size;
    const name = nameOf(node, file);
    const handle = this.#files.get(name) ?? open(join(this.path, name), "a");
    this.#files.set(name, handle);
    const bytes = Buffer.from(text);
    await (await handle).appendFile(bytes);
    await (await handle).datasync();
    this.#sizes.set(name, size + bytes.length);
    return size + bytes.length;
  }

  /** Of the process that a node runs now: the last call counts, also where a node comes back while one is being written. */
  writeEnvironment(node: string, environment: Environment): Promise<void> {
    const result = this.#describing.then(() => this.#writeEnvironment(node, environment));
    this.#describing = result.catch(() => undefined);
    return result;
  }

  async #writeEnvironment(node: string, environment: Environment): Promise<void> {
    const path = join(this.path, archiveFiles.environment(node));
    await mkdir(dirname(path), { recursive: true });
    await writeDurably(path, `${JSON.stringify(environment, null, 2)}\n`);
  }

  /** The processes whose journals are here, by node. */
  async boots(nodes: readonly string[]): Promise<Map<string, string>> {
    const boots = new Map<string, string>();
    for (const node of nodes) {
      const text = await readFile(join(this.path, archiveFiles.environment(node)), "utf8").catch(() => "{}");
      const { boot } = JSON.parse(text) as { boot?: string };
      if (boot !== undefined) boots.set(node, boot);
    }
    return boots;
  }

  /** The files that were sent along with the run, by policy; undefined when some are not here. */
  async agents(names: readonly string[]): Promise<AgentFiles | undefined> {
    const files = new Map<string, Uint8Array>();
    for (const name of names) {
      const bytes = await readFile(join(this.path, archiveFiles.policy(name))).catch(() => undefined);
      if (bytes === undefined) return undefined;
      files.set(name, bytes);
    }
    return files;
  }

  async close(): Promise<void> {
    await Promise.all([this.#appending, this.#describing]);
    for (const handle of this.#files.values()) await (await handle).close();
    this.#files.clear();
  }
}

const nameOf = (node: string, file: RunFile): string =>
  file === "journal" ? archiveFiles.journal(node) : archiveFiles.log(node);
