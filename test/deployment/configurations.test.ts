import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "@offloadlab/protocol";
import { afterAll, describe, expect, it } from "vitest";
import { readStationConfig } from "../../apps/cbs/src/config.ts";
import { readDeviceConfig } from "../../apps/ed/src/config.ts";
import { readServerConfig } from "../../apps/mec/src/config.ts";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "offloadlab-configurations-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A node's configuration as Ansible writes it for the example lab. */
const written = (node: string, role: string, variables: Readonly<Record<string, unknown>>): string => {
  const file = join(folder, `${node}.yaml`);
  const defaults = ["lab", "identity"].map((name) => `@${join(root, `ansible/roles/${name}/defaults/main.yml`)}`);
  const given = { ansible_connection: "local", inventory_hostname: node, group_names: [role], ...variables };
  execFileSync(
    "ansible",
    [
      ...[node, "-i", join(root, "inventory/example-lab.yaml"), "-m", "ansible.builtin.template"],
      ...["-a", `src=${join(root, `ansible/roles/${role}/templates/${role}.yaml`)} dest=${file}`],
      ...defaults.flatMap((each) => ["-e", each]),
      ...["-e", JSON.stringify(given)],
    ],
    { stdio: "pipe" },
  );
  return file;
};
const station = { station_host: "cbs" };
const pi = { meter: "ina226", meter_shunt_ohms: 0.05, wifi_interface: "wlan0", community: 1, hardware: "linux" };

describe("what Ansible writes, the daemons read", () => {
  it("an end device with meters for load and harvest", async () => {
    const file = written("ed-1-1", "ed", { ...station, ...pi, harvest_source: "measured" });
    expect(await readConfig(file, readDeviceConfig)).toMatchObject({
      node: "ed-1-1",
      station_url: "wss://192.168.77.10:7400/link",
      server_url: "https://192.168.77.11:7402",
      hardware: "linux",
      inference: "process",
      board: {
        wifi_interface: "wlan0",
        power_meter: { kind: "ina226", address: "1-0040", shunt_ohms: 0.05 },
        harvest: { source: "measured", power_meter: { address: "1-0041" } },
      },
    });
  });

  it("an end device whose harvest is scaled, or emulated", async () => {
    const scaled = written("ed-1-1", "ed", { ...station, ...pi, harvest_source: "scaled", harvest_factor: 1000 });
    expect((await readConfig(scaled, readDeviceConfig)).board?.harvest).toMatchObject({
      source: "scaled",
      factor: 1000,
    });
    const emulated = written("ed-1-1", "ed", { ...station, ...pi, harvest_source: "emulated" });
    expect((await readConfig(emulated, readDeviceConfig)).board?.harvest).toEqual({ source: "emulated" });
  });

  it("an end device with a battery's gauge", async () => {
    const gauge = { ...pi, meter: "power-supply", meter_supply: "battery", harvest_source: "emulated" };
    const read = await readConfig(written("ed-1-1", "ed", { ...station, ...gauge }), readDeviceConfig);
    expect(read.board).toMatchObject({ power_meter: { kind: "power-supply", address: "battery" } });
  });

  it("an edge server that measures its whole module, with a classifier of one's own", async () => {
    const variables = { ...station, meter: "ina3221", community: 1, hardware: "linux", classifier: "/x/y.onnx" };
    expect(await readConfig(written("mec-1", "mec", variables), readServerConfig)).toMatchObject({
      listen_port: 7402,
      classifier: "/var/lib/offload/y.onnx",
      board: { power_meter: { kind: "ina3221", address: "0-0041", rail: "VDD_IN" } },
    });
  });

  it("emulated hardware, and the C-BS", async () => {
    const device = written("ed-1-1", "ed", { ...station, hardware: "emulated", community: 1 });
    const read = await readConfig(device, readDeviceConfig);
    expect([read.hardware, read.board]).toEqual(["emulated", undefined]);
    const file = written("cbs", "cbs", station);
    expect(await readConfig(file, readStationConfig)).toMatchObject({ listen_port: 7400, dashboard_port: 7401 });
  });
});
