import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { Failure } from "@offloadlab/protocol";
import type { ProgressLine } from "./output.ts";
import { ansibleFolder } from "./paths.ts";

/** One playbook for each verb of the CLI, of the same name. */
export const playbooks = ["provision", "deploy", "start", "stop", "collect", "verify", "rollback", "remove"] as const;
export type Playbook = (typeof playbooks)[number];

export interface PlaybookOptions {
  readonly inventory: string;
  readonly home: string;
  /** Hosts and groups, comma separated. */
  readonly limit?: string;
  /** Says what would be changed, and changes nothing. */
  readonly check?: boolean;
  readonly force?: boolean;
  readonly askBecomePass?: boolean;
}

/** What a playbook did on one host. */
export interface HostRecap {
  readonly ok: number;
  readonly changed: number;
  readonly unreachable: number;
  readonly failed: number;
}
export type Recap = Readonly<Record<string, HostRecap>>;

/**
 * Runs a playbook on the lab of an inventory; its whole output goes to `<home>/logs/<verb>.log`.
 *
 * @param variables extra variables, which win over all others
 * @throws Failure `peer/unreachable` when a node does not answer, `peer/refused` when a task failed
 */
export const runPlaybook = async (
  playbook: Playbook,
  options: PlaybookOptions,
  variables: Readonly<Record<string, unknown>>,
  progress: ProgressLine,
): Promise<Recap> => {
  const home = resolve(options.home);
  const logFile = join(home, "logs", `${playbook}.log`);
  await mkdir(join(home, "logs"), { recursive: true });
  const extra = { lab_home: home, lab_force: options.force === true, ...variables };
  const child = spawn(
    "ansible-playbook",
    [
      ...["--inventory", resolve(options.inventory), "--extra-vars", JSON.stringify(extra)],
      ...(options.limit === undefined ? [] : ["--limit", `${options.limit},localhost`]),
      ...(options.check === true ? ["--check", "--diff"] : []),
      ...(options.askBecomePass === true ? ["--ask-become-pass"] : []),
      join(ansibleFolder, `${playbook}.yml`),
    ],
    {
      stdio: ["inherit", "pipe", "pipe"],
      env: {
        ...process.env,
        ANSIBLE_CONFIG: join(ansibleFolder, "ansible.cfg"),
        ANSIBLE_NOCOLOR: "1",
        LC_ALL: "C.UTF-8",
      },
    },
  );
  const ended = once(child, "close") as Promise<[number | null]>;
  const log = createWriteStream(logFile);
  const lines: string[] = [];
  const read = (line: string): void => {
    lines.push(line);
    log.write(`${line}\n`);
    const task = /^(?:TASK|RUNNING HANDLER) \[(.*)\]/.exec(line)?.[1];
    if (task !== undefined) progress.update(task, `${playbook}: ${task}`);
  };
  createInterface(child.stdout).on("line", read);
  createInterface(child.stderr).on("line", read);
  const [code] = await ended.catch((error: NodeJS.ErrnoException) => {
    const what = error.code === "ENOENT" ? "ansible is missing; apt-get install ansible-core" : error.message;
    throw new Failure("config/invalid", `ansible-playbook: ${what}`, { cause: error });
  });
  log.end();
  const recap = recapOf(lines);
  const summary = Object.entries(recap)
    .filter(([host]) => host !== "localhost")
    .map(([host, { changed }]) => `${host} ${changed === 0 ? "as it was" : `${changed} changed`}`)
    .join(", ");
  const lost = Object.entries(recap).filter(([, { unreachable }]) => unreachable > 0);
  if (code === 0 && (lost.length === 0 || playbook === "remove")) {
    progress.done(`${playbook}: ${summary || "nothing to do"}`);
    return recap;
  }
  const unreachable = lost.map(([host]) => host).join(", ");
  const why = failuresIn(lines).join("\n") || lines.slice(-5).join("\n");
  if (unreachable !== "")
    throw new Failure("peer/unreachable", `${playbook}: ${unreachable} cannot be reached\n${why}\n(${logFile})`);
  throw new Failure("peer/refused", `${playbook} failed\n${why}\n(${logFile})`);
};

/** The numbers at the end of Ansible's output. */
export const recapOf = (lines: readonly string[]): Recap => {
  const from = lines.findIndex((line) => line.startsWith("PLAY RECAP"));
  const hosts = lines.slice(from === -1 ? lines.length : from + 1).flatMap((line) => {
    const match = /^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)/.exec(line);
    if (match === null) return [];
    const [ok = 0, changed = 0, unreachable = 0, failed = 0] = match.slice(2).map(Number);
    return [[match[1] as string, { ok, changed, unreachable, failed }] as const];
  });
  return Object.fromEntries(hosts);
};

/** What failed where, in the words of the task: `mec-1: run ... is open`. */
export const failuresIn = (lines: readonly string[]): string[] =>
  lines.flatMap((line) => {
    const match = /^(?:fatal|failed): \[([^\]\s]+)[^\]]*\].*?=> (\{.*)$/.exec(line);
    if (match === null) return line.startsWith("ERROR!") ? [line] : [];
    return [`${match[1]}: ${wordsOf(match[2] as string)}`];
  });

const wordsOf = (json: string): string => {
  try {
    const said = JSON.parse(json) as { msg?: unknown; stderr?: string };
    return said.stderr !== undefined && said.stderr !== "" ? said.stderr : String(said.msg);
  } catch {
    return json;
  }
};
