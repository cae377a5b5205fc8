import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, messageOf } from "@offloadlab/protocol";
import { alignedLines } from "@offloadlab/records";
import { exitCodes } from "./exit-codes.ts";
import { type InventoryNode, nodeOf, readInventory } from "./inventory.ts";
import { openStation } from "./lab-station.ts";
import { type Format, printResult } from "./output.ts";
import { firmwareFolder } from "./paths.ts";
import type { ConnectedNode } from "./station-client.ts";

interface NodeOptions {
  readonly inventory: string;
  readonly home: string;
  readonly format: Format;
}

/** `offload node ls`: every node of the inventory, and whether its daemon is connected to the C-BS. */
export const nodeList = async (options: NodeOptions): Promise<void> => {
  const inventory = await readInventory(options.inventory);
  const station = await openStation(inventory, options.home);
  const connected = await station
    .nodes()
    .catch((error: unknown) => {
      process.stderr.write(`${messageOf(error)}\n`);
      return undefined;
    })
    .finally(() => station.close());
  const rows = inventory.nodes.map((node) => ({
    node: node.id,
    role: node.role,
    board: node.board,
    address: node.address,
    ...stateOf(node, connected),
  }));
  const lines = alignedLines(
    [
      ["node", "role", "board", "address", "state", "hardware"],
      ...rows.map(({ node, role, board, address, state, hardware }) => [node, role, board, address, state, hardware]),
    ],
    6,
  );
  const whole = rows.every(({ state }) => state === "connected");
  printResult(options.format, whole ? exitCodes.ok : exitCodes.unreachable, lines.join("\n"), rows);
};

const stateOf = (
  { id, role }: InventoryNode,
  connected: readonly ConnectedNode[] | undefined,
): { state: string; hardware: string } => {
  if (role === "cbs") return { state: connected === undefined ? "no answer" : "connected", hardware: "-" };
  const found = connected?.find((node) => node.id === id);
  if (found === undefined) return { state: connected === undefined ? "unknown" : "never seen", hardware: "-" };
  return { state: found.online ? "connected" : "gone", hardware: found.hardware };
};

/** `offload node logs`: what the daemon said, from the node's journal. */
export const nodeLogs = async (
  id: string,
  options: NodeOptions & { readonly lines: number; readonly follow?: boolean },
): Promise<void> => {
  const node = nodeOf(await readInventory(options.inventory), id);
  const follow = options.follow === true ? ["--follow"] : [];
  const command = ["sudo", "journalctl", `--unit=offload-${node.role}`, "--output=cat", `--lines=${options.lines}`];
  await overSsh(node, [...command, "--no-pager", ...follow]);
};

/** `offload node identify`: the board's light blinks for a while. */
export const nodeIdentify = async (id: string, options: NodeOptions & { readonly seconds: number }): Promise<void> => {
  const node = nodeOf(await readInventory(options.inventory), id);
  const script = readFileSync(join(firmwareFolder, "common/identify"), "utf8");
  await overSsh(node, ["sudo", "sh", "-s", "--", String(options.seconds)], script);
};

/** How a node is reached, by Ansible's own variables. */
export const sshArguments = ({ sshHost, variables }: InventoryNode): string[] => {
  const text = (name: string): string | undefined => {
    const value = variables[name];
    return value === undefined ? undefined : String(value);
  };
  const option = (flag: string, value: string | undefined): string[] => (value === undefined ? [] : [flag, value]);
  return [
    ...["-o", "StrictHostKeyChecking=accept-new", "-o", "ConnectTimeout=5", "-o", "BatchMode=yes"],
    ...(text("ansible_ssh_common_args")?.split(" ") ?? []),
    ...option("-p", text("ansible_port")),
    ...option("-l", text("ansible_user")),
    ...option("-i", text("ansible_ssh_private_key_file")),
    sshHost,
  ];
};

/** Runs a command on a node, its output being ours. @throws Failure when ssh or the command fails */
const overSsh = async (node: InventoryNode, command: readonly string[], input?: string): Promise<void> => {
  const child = spawn("ssh", [...sshArguments(node), "--", ...command], { stdio: ["pipe", "inherit", "inherit"] });
  child.stdin.end(input ?? "");
  const [code] = (await once(child, "close")) as [number | null];
  // ssh's own failures end with 255.
  if (code === 255) throw new Failure("peer/unreachable", `${node.id} (${node.sshHost}) cannot be reached with ssh`);
  if (code !== 0) throw new Failure("peer/refused", `${node.id}: ${command.join(" ")} ended with ${code}`);
};
