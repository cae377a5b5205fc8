import { readFile } from "node:fs/promises";
import { Failure, type Identity } from "@offloadlab/protocol";
import { readYaml, type YamlText } from "@offloadlab/records";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";

const text = Type.String({ minLength: 1 });
const port = Type.Integer({ minimum: 1, maximum: 65_535 });
const i2cAddress = Type.Integer({ minimum: 0x03, maximum: 0x77 });

/** Variables of nodes; each may stand at a host, its group or `all`, and the nearest counts, as in Ansible. */
const variables = {
  lab_name: Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,39}$" }),
  /** ISO 3166-1, for the radio. */
  lab_country: Type.String({ pattern: "^[A-Z]{2}$" }),
  board: Type.Enum(["raspberry-pi-4", "jetson-tx2", "computer"]),
  hardware: Type.Enum(["linux", "emulated"]),
  community: Type.Integer({ minimum: 1 }),
  /** Of the C-BS. */
  station_port: port,
  /** Of the C-BS, on its loopback only. */
  dashboard_port: port,
  /** Of a MEC. */
  server_port: port,
  /** How other nodes reach this one, when it is not how Ansible does. */
  lab_address: text,
  /** Clock of the processor that is kept up. */
  processor_hertz: Type.Integer({ minimum: 100_000_000, maximum: 10_000_000_000 }),
  /** nvpmodel's number. */
  power_mode: Type.Integer({ minimum: 0, maximum: 4 }),
  wifi_interface: text,
  meter: Type.Enum(["ina219", "ina226", "ina3221", "power-supply", "none"]),
  /** Of a `power-supply`, a battery's gauge: its name in /sys/class/power_supply. */
  meter_supply: text,
  meter_shunt_ohms: Type.Number({ exclusiveMinimum: 0, maximum: 10 }),
  load_address: i2cAddress,
  harvest_address: i2cAddress,
  /** Half the width of the 95 % interval of the meters' gain. */
  meter_gain_error_ratio: Type.Number({ minimum: 0, maximum: 0.5 }),
  sample_period_seconds: Type.Number({ minimum: 0.005, maximum: 1 }),
  harvest_source: Type.Enum(["measured", "scaled", "emulated"]),
  /** What a scaled harvest is multiplied by. */
  harvest_factor: Type.Number({ exclusiveMinimum: 0 }),
  /** Model and its card on the machine of the operator, for every node; the embedded one when absent. */
  classifier: text,
  /** How long systemd waits until a daemon is ready; one that is not is ended and started again, s. */
  daemon_start_seconds: Type.Integer({ minimum: 5, maximum: 600 }),
  /** False where the clock is somebody else's, as in a container: it is then watched and not set. */
  time_sets_clock: Type.Boolean(),
} as const;

const Variables = Type.Object(
  Object.fromEntries(Object.entries(variables).map(([name, type]) => [name, Type.Optional(type)])),
  { additionalProperties: false, patternProperties: { "^ansible_": Type.Unknown() } },
);

const Group = Type.Object(
  {
    vars: Type.Optional(Variables),
    hosts: Type.Record(Type.String(), Type.Union([Variables, Type.Null()])),
  },
  { additionalProperties: false },
);

const InventoryFile = Type.Object(
  {
    all: Type.Object(
      {
        vars: Type.Optional(Variables),
        children: Type.Object({ cbs: Group, mec: Group, ed: Group }, { additionalProperties: false }),
      },
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
);
type InventoryFile = Static<typeof InventoryFile>;
const validator = Compile(InventoryFile);

/** The roles that a node of a lab can have. */
export type NodeRole = Exclude<Identity["role"], "operator">;
const nodeRoles = ["cbs", "mec", "ed"] as const satisfies readonly NodeRole[];

/** What a node of each role is called, as the daemons' configurations want it. */
const names = {
  cbs: { pattern: /^cbs$/, words: "cbs" },
  mec: { pattern: /^mec-[1-9][0-9]*$/, words: "mec-<community>" },
  ed: { pattern: /^ed-[1-9][0-9]*-[1-9][0-9]*$/, words: "ed-<community>-<device>" },
} as const;

/** A machine of the lab. */
export interface InventoryNode {
  readonly id: string;
  readonly role: NodeRole;
  /** How the operator reaches it. */
  readonly sshHost: string;
  /** How other nodes reach it. */
  readonly address: string;
  readonly board: "raspberry-pi-4" | "jetson-tx2" | "computer";
  /** Everything that holds for it, Ansible's own variables among them. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/** A lab as its inventory describes it. */
export interface Inventory {
  readonly file: string;
  readonly name: string;
  readonly station: InventoryNode;
  /** In the order of the file. */
  readonly nodes: readonly InventoryNode[];
  readonly stationPort: number;
  readonly dashboardPort: number;
}

/** As in `ansible/roles/lab/defaults/main.yml`, which a test compares. */
export const defaultPorts = { station_port: 7400, dashboard_port: 7401, server_port: 7402 } as const;

/** Reads an inventory in Ansible's YAML, or says what is wrong with it: `file:line:column: what`. */
export const parseInventory = (source: string, file: string): Inventory | { readonly problems: readonly string[] } => {
  const yaml = readYaml(source, file);
  if ("problems" in yaml) return yaml;
  const { value } = yaml;
  if (!validator.Check(value)) {
    return { problems: [...new Set([...validator.Errors(value)].flatMap((error) => problemsOf(error, yaml)))] };
  }
  const nodes = nodesOf(value);
  const problems = disagreements(value, nodes, yaml);
  const station = nodes.find(({ role }) => role === "cbs");
  if (problems.length > 0 || station === undefined) return { problems };
  return {
    file,
    name: String(station.variables["lab_name"] ?? "lab"),
    station,
    nodes,
    stationPort: Number(station.variables["station_port"] ?? defaultPorts.station_port),
    dashboardPort: Number(station.variables["dashboard_port"] ?? defaultPorts.dashboard_port),
  };
};

/** @throws Failure `config/invalid` listing every problem with its place */
export const readInventory = async (file: string): Promise<Inventory> => {
  const source = await readFile(file, "utf8").catch((error: Error) => {
    const advice = "copy inventory/example-lab.yaml, or name yours with --inventory";
    throw new Failure("config/invalid", `${file}: expected an inventory, ${error.message}; ${advice}`, {
      cause: error,
    });
  });
  const inventory = parseInventory(source, file);
  if ("problems" in inventory) throw new Failure("config/invalid", inventory.problems.join("\n"));
  return inventory;
};

/** @throws Failure `config/invalid` when the lab has no node of this name */
export const nodeOf = (inventory: Inventory, id: string): InventoryNode => {
  const node = inventory.nodes.find((each) => each.id === id);
  if (node !== undefined) return node;
  const known = inventory.nodes.map((each) => each.id).join(", ");
  throw new Failure("config/invalid", `${inventory.file}: there is no node ${id}; there are ${known}`);
};

const nodesOf = ({ all }: InventoryFile): InventoryNode[] =>
  nodeRoles.flatMap((role) => {
    const { vars, hosts } = all.children[role];
    return Object.entries(hosts).map(([id, own]) => {
      const merged: Record<string, unknown> = { ...all.vars, ...vars, ...own };
      const sshHost = String(merged["ansible_host"] ?? "");
      return {
        id,
        role,
        sshHost,
        address: String(merged["lab_address"] ?? sshHost),
        board: (merged["board"] ?? "computer") as InventoryNode["board"],
        variables: merged,
      };
    });
  });

/** What every part allows but the whole does not. */
const disagreements = ({ all }: InventoryFile, nodes: readonly InventoryNode[], yaml: YamlText): string[] => {
  const problems: string[] = [];
  const place = ({ role, id }: InventoryNode, ...rest: string[]): string =>
    yaml.at(["all", "children", role, "hosts", id, ...rest]);
  for (const role of nodeRoles) {
    if (Object.keys(all.children[role].hosts).length > 0) continue;
    problems.push(
      `${yaml.at(["all", "children", role, "hosts"])}: expected at least one host in \`${role}\`, got none`,
    );
  }
  const owners = new Map<string, string>();
  const servers = nodes.filter(({ role }) => role === "mec").map(({ id }) => id);
  for (const node of nodes) {
    const { pattern, words } = names[node.role];
    if (!pattern.test(node.id)) {
      problems.push(`${place(node)}: a host in \`${node.role}\` must be called ${words}, got ${node.id}`);
      continue;
    }
    if (node.sshHost === "") {
      problems.push(`${place(node)}: ${node.id} needs an \`ansible_host\`, the address that it is reached at`);
      continue;
    }
    const other = owners.get(node.address);
    if (other !== undefined && node.variables["ansible_port"] === undefined) {
      problems.push(`${place(node, "ansible_host")}: ${node.id} has the address ${node.address} of ${other}`);
    }
    owners.set(node.address, node.id);
    if (node.role === "cbs") continue;
    const community = Number(node.id.split("-")[1]);
    if (node.variables["community"] !== community) {
      const got = JSON.stringify(node.variables["community"]) ?? "none";
      problems.push(`${place(node, "community")}: \`community\` of ${node.id} must be ${community}, got ${got}`);
    }
    problems.push(...metersOf(node).map((what) => `${place(node)}: ${what}`));
    if (node.role === "ed" && !servers.includes(`mec-${community}`)) {
      problems.push(`${place(node)}: ${node.id} has no server; add mec-${community} to \`mec\``);
    }
  }
  return problems;
};

/** Whether a Pi's harvest goes through a meter of its own. */
export const isHarvestMetered = ({ role, variables }: InventoryNode): boolean =>
  role === "ed" && ["measured", "scaled"].includes(String(variables["harvest_source"] ?? "emulated"));

/** What a node with real hardware lacks to be measured: its daemon would refuse to start. */
const metersOf = (node: InventoryNode): string[] => {
  const { id, variables } = node;
  if (variables["hardware"] !== "linux") return [];
  const meter = String(variables["meter"] ?? "none");
  const isHarvestFit = !isHarvestMetered(node) || ["ina219", "ina226"].includes(meter);
  return [
    ...(meter === "none"
      ? [`${id} has \`hardware: linux\` and no \`meter\`; name it, or say \`hardware: emulated\``]
      : []),
    ...(meter === "power-supply" && variables["meter_supply"] === undefined
      ? [`${id} needs \`meter_supply\`, the name of its gauge in /sys/class/power_supply`]
      : []),
    ...(isHarvestFit
      ? []
      : [
          `${id} measures its harvest with a second ina219 or ina226; with \`meter: ${meter}\` it can only be emulated`,
        ]),
    ...(variables["harvest_source"] === "scaled" && variables["harvest_factor"] === undefined
      ? [`${id} needs \`harvest_factor\`, what its harvest is multiplied by`]
      : []),
  ];
};

const problemsOf = (
  error: { keyword: string; instancePath: string; message: string; params: unknown },
  { value, at }: YamlText,
): string[] => {
  const path = error.instancePath
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const name = path.join(".") || "inventory";
  if (error.keyword === "additionalProperties") {
    const extra = (error.params as { additionalProperties: string[] }).additionalProperties;
    return extra.map((key) => `${at([...path, key])}: unknown \`${key}\` in \`${name}\`; known are ${knownIn(path)}`);
  }
  // Each unknown key and each member of a union has an error of its own besides.
  if (error.keyword === "boolean" || error.keyword === "anyOf" || error.message === "must be null") return [];
  const expected =
    error.keyword === "enum"
      ? `must be one of ${(error.params as { allowedValues: string[] }).allowedValues.join(", ")}`
      : error.message;
  const got = JSON.stringify(valueAt(value, path)) ?? "nothing";
  return [`${at(path)}: \`${name}\` ${expected}, got ${got.length > 80 ? `${got.slice(0, 77)}...` : got}`];
};

const knownIn = (path: readonly string[]): string => {
  const parent = path.at(-1);
  if (path.length === 0) return "all";
  if (parent === "all") return "vars, children";
  if (parent === "children") return nodeRoles.join(", ");
  if (path.length === 3) return "vars, hosts";
  return `${Object.keys(variables).join(", ")} and Ansible's own, ansible_...`;
};

const valueAt = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null | undefined)?.[key], value);
