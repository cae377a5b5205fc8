import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text as readStream } from "node:stream/consumers";
import { type Finding, judgeBoard } from "./board-conditions.ts";
import { factsArguments, parseFacts } from "./board-facts.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { type InventoryNode, nodeOf, readInventory } from "./inventory.ts";
import { sshArguments } from "./node-commands.ts";
import { type Format, ProgressLine, printResult } from "./output.ts";
import { firmwareFolder } from "./paths.ts";

export interface DoctorOptions {
  readonly inventory: string;
  /** This machine, as this node of the inventory. */
  readonly here?: boolean;
  /** Another root of its files. */
  readonly root?: string;
  readonly all?: boolean;
  readonly format: Format;
}

interface Examination {
  readonly node: string;
  readonly board: string;
  readonly address: string;
  /** Null when it could not be reached. */
  readonly findings: readonly Finding[] | null;
}

const factsScript = join(firmwareFolder, "common/facts");

/** `offload doctor`: every condition that a board must meet, what was found, what was expected, and what mends it. */
export const doctor = async (ids: readonly string[], options: DoctorOptions): Promise<void> => {
  const inventory = await readInventory(options.inventory);
  const nodes = ids.length > 0 ? ids.map((id) => nodeOf(inventory, id)) : inventory.nodes;
  const progress = new ProgressLine();
  let examined = 0;
  const examinations = await Promise.all(
    nodes.map(async (node): Promise<Examination> => {
      const facts = await factsOf(node, options);
      examined += 1;
      progress.update("doctor", `examined ${examined} of ${nodes.length}`);
      const findings = facts === null ? null : judgeBoard(node, parseFacts(facts));
      return { node: node.id, board: node.board, address: node.sshHost, findings };
    }),
  );
  progress.done(`examined ${nodes.length}`);
  printResult(options.format, codeOf(examinations), textOf(examinations, options.all === true), examinations);
};

/** Runs the facts script on a node, or here; null when the node cannot be reached. */
const factsOf = async (node: InventoryNode, { here, root }: DoctorOptions): Promise<string | null> => {
  const words = factsArguments(node);
  const child =
    here === true
      ? spawn("sh", [factsScript, ...words], {
          stdio: ["pipe", "pipe", "inherit"],
          env: { ...process.env, ...(root && { OFFLOAD_ROOT: root }) },
        })
      : spawn("ssh", [...sshArguments(node), "--", "sudo", "-n", "sh", "-s", "--", ...words], {
          stdio: ["pipe", "pipe", "inherit"],
        });
  child.stdin.on("error", () => undefined);
  child.stdin.end(here === true ? "" : readFileSync(factsScript, "utf8"));
  const ended = once(child, "close") as Promise<[number | null]>;
  const facts = await readStream(child.stdout);
  const [code] = await ended;
  return code === 0 ? facts : null;
};

const codeOf = (examinations: readonly Examination[]): ExitCode => {
  if (examinations.some(({ findings }) => findings === null)) return exitCodes.unreachable;
  const bad = examinations.some(({ findings }) => findings?.some(({ level }) => level === "problem"));
  return bad ? exitCodes.failed : exitCodes.ok;
};

const textOf = (examinations: readonly Examination[], all: boolean): string =>
  examinations
    .map(({ node, board, address, findings }) => {
      const head = `${node} (${board}, ${address})`;
      if (findings === null)
        return `${head}: cannot be reached with ssh, or sudo asks for a password\n  try: ssh ${address} sudo -n true`;
      const shown = findings.filter(({ level }) => all || level !== "ok");
      const good = findings.filter(({ level }) => level === "ok").length;
      const lines = shown.map(({ condition, level, found, expected, mend }) =>
        level === "ok"
          ? `  ok       ${condition}: ${found}`
          : `  ${level.padEnd(8)} ${condition}: found ${found}, expected ${expected}\n           mend: ${mend}`,
      );
      return [`${head}: ${good} of ${findings.length} conditions hold`, ...lines].join("\n");
    })
    .join("\n");
