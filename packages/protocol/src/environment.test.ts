import { readFileSync, statfsSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { expect, it } from "vitest";
import { readEnvironment, readNodeEnvironment } from "./environment.ts";

it("a node's environment is the code, the processor, the system, its disk and its network", async () => {
  const environment = await readNodeEnvironment();
  expect(environment).toMatchObject(await readEnvironment());
  const [, name] = /^NAME="?(.*?)"?$/m.exec(readFileSync("/etc/os-release", "utf8")) ?? [];
  expect(environment["os_release"]).toContain(name);
  const { blocks, bsize } = statfsSync("/");
  const { size_bytes } = environment["root_filesystem"] as { size_bytes: number };
  expect(size_bytes).toBe(blocks * bsize);
  const network = environment["network"] as { name: string; mtu_bytes: number }[];
  const outer = Object.entries(networkInterfaces()).filter(([, addresses]) =>
    addresses?.some((each) => !each.internal),
  );
  expect(network.map((each) => each.name)).toEqual(expect.arrayContaining(outer.map(([each]) => each)));
  for (const { name: each, mtu_bytes } of network)
    expect(mtu_bytes).toBe(Number(readFileSync(`/sys/class/net/${each}/mtu`, "utf8")));
});

it("what identifies a machine stays there", async () => {
  const told = JSON.stringify(await readNodeEnvironment());
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  for (const { address, mac, internal } of addresses)
    if (!internal) for (const secret of [address, mac]) expect(told).not.toContain(secret);
});
