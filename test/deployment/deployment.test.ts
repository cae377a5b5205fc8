import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { presets, settingsToFile } from "@offloadlab/model";
import { deviceOf, type JournalRecord, type LeaseQuality, leaseQuality, readRun } from "@offloadlab/records";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { releaseLike, releases, versionOf } from "./released.ts";
import { type Ended, VirtualLab } from "./virtual-lab.ts";

const devices = ["ed-1-1", "ed-1-2"];
const names = ["cbs", "mec-1", ...devices];

/** In the order of a lab's life: each test finds the lab as the one before has left it. */
describe("a lab of booted hosts", () => {
  let lab: VirtualLab;
  let folder: string;
  let started: number;

  beforeAll(async () => {
    started = performance.now();
    folder = mkdtempSync(join(tmpdir(), "offloadlab-deployment-"));
    lab = await VirtualLab.start(names);
    writeFileSync(join(folder, "lab.yaml"), JSON.stringify(inventoryOf(lab), null, 1));
    writeFileSync(join(folder, "experiment.yaml"), JSON.stringify(experiment));
  });
  afterAll(async () => {
    await lab?.stop();
    rmSync(folder, { recursive: true, force: true });
    console.log(`deployment to booted hosts: ${((performance.now() - started) / 1000).toFixed(0)} s`);
  });

  const offload = (...args: readonly string[]): Promise<Ended> =>
    lab.offload(...args, "--inventory", join(folder, "lab.yaml"), "--home", join(folder, "home"), "--format", "json");
  const offloadRun = (manifest: string): Promise<Ended> =>
    lab.offload("run", manifest, "--home", join(folder, "home"), "--runs", join(folder, "runs"), "--format", "json");
  const deployed = ["--releases", releases];
  const collect = () => offload("collect", "--runs", join(folder, "runs"));

  /** A command that must succeed; what each host says of changes. */
  const changes = async (ended: Promise<Ended>): Promise<Record<string, number>> => {
    const { code, stdout, stderr } = await ended;
    expect(stderr + stdout, "the command's output").toSatisfy(() => code === 0);
    const { data } = JSON.parse(stdout) as { data: Record<string, { changed: number }> };
    return Object.fromEntries(Object.entries(data).map(([host, { changed }]) => [host, changed]));
  };
  const unchanged = (hosts: readonly string[] = names) => Object.fromEntries(hosts.map((host) => [host, 0]));
  const state = (host: string, daemon: string): Promise<string> =>
    lab.on(host, `/usr/local/lib/offload/release-guard ${daemon} state`);

  /** A command with --check: how much would change on each host; there and in the lab's own folder all stays as it is. */
  const wouldChange = async (...args: readonly string[]): Promise<Record<string, number>> => {
    const before = await Promise.all(names.map(contents));
    const said = await changes(offload(...args, "--check"));
    expect(await Promise.all(names.map(contents))).toEqual(before);
    return said;
  };
  /** Digests of everything that a playbook may write to, and what runs. */
  const contents = (host: string): Promise<string> =>
    lab.on(
      host,
      `find /boot /etc /opt /usr/local ! -type d -exec stat -c '%n %s %Y %U %a' {} + | sort; ls /var/lib /var/lib/offload
systemctl show --property=InvocationID,ActiveState,UnitFileState 'offload-*' chrony`,
    );
  const sure = (count: number): boolean => count > 0;

  /** What the C-BS says of its link to a node. */
  const stateOfNode = (name: string) => async (): Promise<string | undefined> => {
    const { data } = JSON.parse((await offload("node", "ls")).stdout) as { data: { node: string; state: string }[] };
    return data.find(({ node }) => node === name)?.state;
  };

  it("provision --check says what it would change on machines as they are flashed", async () => {
    const said = await wouldChange("provision");
    expect(Object.keys(said).sort()).toEqual([...names].sort());
    expect(Object.values(said)).toSatisfy((counts: number[]) => counts.every(sure));
    // The same of boards, whose tools are not installed yet.
    writeFileSync(join(folder, "boards.yaml"), JSON.stringify(boardsOf(lab), null, 1));
    const before = await Promise.all(names.map(contents));
    const boards = await lab.offload(
      ...["provision", "--check", "--inventory", join(folder, "boards.yaml")],
      ...["--home", join(folder, "home"), "--format", "json"],
    );
    expect(boards.stderr, "the command's output").toSatisfy(() => boards.code === 0);
    expect(await Promise.all(names.map(contents))).toEqual(before);
  });

  it("deploy --check says what it would bring to nodes that have nothing", async () => {
    await changes(offload("provision"));
    const said = await wouldChange("deploy", ...deployed);
    expect(names.map((host) => said[host] ?? 0)).toSatisfy((counts: number[]) => counts.every(sure));
    expect(existsSync(join(folder, "home", "ca"))).toBe(false);
  });

  it("from nothing to a comparison: deploy, run, collect, check", async () => {
    await changes(offload("deploy", ...deployed));
    for (const [host, daemon] of [
      ["cbs", "cbs"],
      ["mec-1", "mec"],
      ["ed-1-1", "ed"],
      ["ed-1-2", "ed"],
    ] as const)
      expect(await state(host, daemon)).toBe(`active ${versionOf(daemon)}`);
    const up = ["lab", "up", "--experiment", join(folder, "experiment.yaml"), "--runs", join(folder, "runs")];
    const run = await offload(...up);
    expect(run.stderr, "the run's output").toSatisfy(() => run.code === 0);
    const { archive, state: ended } = (JSON.parse(run.stdout) as { data: { archive: string; state: string } }).data;
    expect(ended).toBe("complete");
    expect(readdirSync(join(folder, "runs"))).toEqual([archive.split("/").at(-1)]);
    const check = await lab.offload("check", archive, "--format", "json");
    expect(check.stdout).toSatisfy(() => check.code === 0);
    expect(JSON.parse(check.stdout).data).toMatchObject({ problems: [], trials: 2, status: { state: "complete" } });
  });

  it("the doctor finds nothing wrong with any of them", async () => {
    await lab.until("ed-1-2", "chronyc -c tracking | cut -d, -f14", (leap) => leap === "Normal");
    const doctor = await offload("doctor");
    expect(problemsIn(doctor)).toEqual(Object.fromEntries(names.map((name) => [name, []])));
    expect(doctor.code).toBe(0);
  });

  /** A run in which everything is offloaded, and how well the leases of each device were kept: printed for every attempt. */
  const offloadedRun = async (name: string, attempt: number) => {
    const manifest = join(folder, `${name}.yaml`);
    const settings = { ...experiment.settings, time_slot_count: 20 };
    writeFileSync(manifest, JSON.stringify({ ...experiment, name, policies: ["edge"], settings }));
    const ran = await offloadRun(manifest);
    expect(ran.stderr, "the run's output").toSatisfy(() => ran.stdout !== "");
    const { archive } = (JSON.parse(ran.stdout) as { data: { archive: string } }).data;
    const { journals } = await readRun(archive);
    const [first, second] = devices.map((device) =>
      leaseQuality(
        new Map(
          [...journals].map(([node, records]) => [node, records.filter((each) => !isServiceOfOther(each, device))]),
        ),
      ),
    ) as [LeaseQuality, LeaseQuality];
    for (const [index, { uploads, medianRatio, p95Ratio, shareP95Ratio }] of [first, second].entries())
      console.log(`${name}, attempt ${attempt} of at most ${attempts} with ${lab.congestionControl}, ${devices[index]}: \
${uploads} uploads, T^tr off by ${percent(medianRatio)} (median), \
${percent(p95Ratio)} (p95); compute shares by ${percent(shareP95Ratio)} (p95); the run ended with ${ran.code}`);
    return { code: ran.code, first, second };
  };
  const isServiceOfOther = (record: JournalRecord, device: string): boolean =>
    record.kind === "service" && deviceOf(record.task) !== device;
  const isHeld = ({ uploads, p95Ratio, shareP95Ratio }: LeaseQuality): boolean =>
    uploads >= 10 && p95Ratio <= 0.05 && shareP95Ratio <= 0.05;
  /** Four hosts share this machine with whatever else it does, which delays uploads as well: one of so many runs must do. */
  const attempts = 3;
  /** A device's half of the server's 100 Mbit/s is 50. */
  const shape = (device: string, megabits: number, burstKilobytes: number): void =>
    lab.trafficControl(
      device,
      `qdisc replace dev eth0 root tbf rate ${megabits}mbit burst ${burstKilobytes}kb latency 50ms`,
    );
  const unshape = (): void => {
    for (const device of devices) lab.trafficControl(device, "qdisc del dev eth0 root");
  };

  it("shares hold within 5 % on links of little more than the leases that lose packets", async () => {
    shape("ed-1-1", 60, 256);
    const server = `${lab.hosts["mec-1"]}/32`;
    for (const line of [
      "qdisc replace dev eth0 root handle 1: htb default 20 r2q 100",
      "class replace dev eth0 parent 1: classid 1:10 htb rate 60mbit ceil 60mbit burst 256k cburst 256k",
      "class replace dev eth0 parent 1: classid 1:20 htb rate 20mbit ceil 20mbit",
      `filter replace dev eth0 parent 1: prio 1 protocol ip u32 match ip dst ${server} match ip dport 7402 0xffff flowid 1:10`,
    ])
      lab.trafficControl("ed-1-2", line);
    lab.loseData("mec-1", 7402, 0.01);
    let held = false;
    for (let attempt = 1; attempt <= attempts && !held; attempt++) {
      const { code, first, second } = await offloadedRun("losing", attempt);
      held = code === 0 && isHeld(first) && isHeld(second);
    }
    const lost = lab.loseNoData("mec-1");
    unshape();
    console.log(`${lost} packets of uploads were lost on the way`);
    expect(lost).toBeGreaterThan(0);
    expect(held).toBe(true);
  });

  it("a link that cannot carry its share shows, and takes nothing from the other device", async () => {
    // A burst is small beside a task of half a megabyte, and hides nothing.
    shape("ed-1-1", 25, 32);
    let kept = false;
    for (let attempt = 1; attempt <= attempts && !kept; attempt++) {
      const { code, first, second } = await offloadedRun("narrow", attempt);
      // Half of what was leased: about twice the time. A run whose links are not what they should be is no result.
      expect(first.medianRatio).toBeGreaterThan(0.5);
      expect(code).not.toBe(0);
      kept = second.uploads >= 10 && second.medianRatio <= 0.05 && second.shareMedianRatio <= 0.05;
    }
    lab.trafficControl("ed-1-1", "qdisc del dev eth0 root");
    expect(kept).toBe(true);
  });

  it("a device whose cable was pulled out is back by itself", async () => {
    lab.setLink("ed-1-1", "down");
    await expect.poll(stateOfNode("ed-1-1"), { timeout: 60_000, interval: 500 }).not.toBe("connected");
    lab.setLink("ed-1-1", "up");
    await expect.poll(stateOfNode("ed-1-1"), { timeout: 60_000, interval: 500 }).toBe("connected");
  });

  it("the keys were made on the nodes: readable for the daemon alone, and not on the operator's machine", async () => {
    const key = "/etc/offload/keys/ed-1-1-key.pem";
    expect(await lab.on("ed-1-1", `stat -c '%U %a' ${key}`)).toBe("offloadlab 600");
    const here = readdirSync(join(folder, "home", "ca"), { recursive: true }).map(String);
    expect(here.filter((file) => file.includes("key")).sort()).toEqual(["ca-key.pem", "operator-key.pem"]);
  });

  it("the daemon runs unprivileged and confined", async () => {
    const pid = await lab.on("mec-1", "systemctl show --property=MainPID --value offload-mec");
    const status = await lab.on("mec-1", `cat /proc/${pid}/status`);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^CapBnd:\s+0+$/m);
    expect(await lab.on("mec-1", `stat -c %U /proc/${pid}`)).toBe("offloadlab");
    expect((await lab.ssh("mec-1", `nsenter -t ${pid} -m touch /etc/offload/x`)).stderr).toMatch(
      /Read-only file system/,
    );
  });

  it("a second run of every playbook changes nothing", async () => {
    expect(await changes(offload("provision"))).toEqual(unchanged());
    expect(await changes(offload("deploy", ...deployed))).toMatchObject(unchanged());
    expect(await wouldChange("deploy", ...deployed)).toMatchObject(unchanged());
    expect(await changes(offload("start"))).toEqual(unchanged());
    expect(await changes(collect())).toEqual(unchanged(["cbs"]));
    const elsewhere = join(folder, "elsewhere");
    expect(await wouldChange("collect", "--runs", elsewhere)).toEqual({ cbs: 1 });
    expect(existsSync(elsewhere)).toBe(false);
    expect(await changes(offload("verify"))).toEqual(unchanged());
    expect(await wouldChange("rollback")).toEqual(unchanged());
    expect(await changes(offload("rollback"))).toEqual(unchanged());
  });

  it("nothing is deployed while a run is open, and nothing is lost by trying", async () => {
    const manifest = join(folder, "long.yaml");
    writeFileSync(manifest, JSON.stringify({ ...experiment, name: "long", repetitions: 3 }));
    const run = offloadRun(manifest);
    await lab.until("ed-1-2", "cat /run/offload-ed/busy", (busy) => busy.includes("long"));
    const refused = await offload("deploy", ...deployed);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toMatch(/run \S*long\S* is open on cbs; wait for its end/);
    // The attempt takes processor time from the hosts, which share this machine: late sub-slots may make the run invalid,
    // but none of its trials and tasks may be lost.
    const { archive, state: ended } = (JSON.parse((await run).stdout) as { data: { archive: string; state: string } })
      .data;
    expect(["complete", "invalid"]).toContain(ended);
    const check = await lab.offload("check", archive, "--format", "json");
    expect(JSON.parse(check.stdout).data).toMatchObject({ problems: [], trials: 6 });
    expect(await lab.on("cbs", "ls /run/offload-cbs")).toBe("");
  });

  it("a host without a light says so when it is to blink", async () => {
    const ended = await offload("node", "identify", "ed-1-1", "--seconds", "1");
    // Of the script on the host, and of the command here.
    expect(ended.stderr).toMatch(/identify: no light here \(\/sys\/class\/leds has neither ACT nor led0\)/);
    expect(ended.stderr).toMatch(/offload: ed-1-1: sudo sh -s -- 1 ended with 1/);
    expect(ended).toMatchObject({ code: 1 });
    expect(JSON.parse(ended.stdout)).toMatchObject({ status: "error", exit_code: 1, data: { code: "peer/refused" } });
  });

  it("a killed daemon comes back", async () => {
    const pid = await lab.on("mec-1", "systemctl show --property=MainPID --value offload-mec");
    await lab.on("mec-1", `kill -KILL ${pid}`);
    await lab.until("mec-1", "systemctl show --property=NRestarts,ActiveState --value offload-mec", (shown) =>
      /^active\s+1$|^1\s+active$/.test(shown),
    );
    expect(await lab.on("mec-1", "systemctl show --property=MainPID --value offload-mec")).not.toBe(pid);
  });

  it("a daemon whose event loop is blocked is started anew by the watchdog", async () => {
    const pid = await lab.on("ed-1-1", "systemctl show --property=MainPID --value offload-ed");
    await lab.blockEventLoop("ed-1-1", pid);
    await lab.until(
      "ed-1-1",
      "systemctl show --property=MainPID --value offload-ed",
      (now) => now !== pid && now !== "0",
    );
    expect(await lab.on("ed-1-1", "journalctl -u offload-ed --no-pager -o cat")).toMatch(/Watchdog timeout/);
    await lab.until("ed-1-1", "systemctl is-active offload-ed", (active) => active === "active");
  });

  it("a node that was rebooted is back without anyone's help", async () => {
    await lab.reboot("ed-1-2");
    await lab.until("ed-1-2", "systemctl is-active offload-ed", (active) => active === "active");
    expect(await lab.on("ed-1-2", "systemctl is-active offload-clock")).toBe("active");
  });

  it("a release that does not start gives way to the one before it", async () => {
    const broken = releaseLike(folder, "broken", "ed", () => "console.error('nothing works'); process.exit(1);\n");
    const ended = await offload("deploy", "--limit", "ed-1-1", "--releases", broken);
    expect(ended).toMatchObject({ code: 1 });
    expect(ended.stderr).toMatch(/release broken did not start 3 times/);
    expect(ended.stderr).toMatch(/nothing works/);
    expect(await state("ed-1-1", "ed")).toBe(`active ${versionOf("ed")}`);
    expect(await lab.on("ed-1-1", "cat /opt/offload/ed/set-aside")).toBe("broken");
  });

  it("a release that hangs in its start gives way as well", async () => {
    const hanging = releaseLike(folder, "hanging", "ed", () => "setInterval(() => {}, 1000);\n");
    // With the default it takes more than two minutes.
    const { all } = inventoryOf(lab);
    const hasty = { all: { ...all, vars: { ...all.vars, daemon_start_seconds: 8 } } };
    writeFileSync(join(folder, "hasty.yaml"), JSON.stringify(hasty, null, 1));
    const ended = await lab.offload(
      ...["deploy", "--limit", "ed-1-1", "--releases", hanging, "--inventory", join(folder, "hasty.yaml")],
      ...["--home", join(folder, "home"), "--format", "json"],
    );
    expect(ended).toMatchObject({ code: 1 });
    expect(ended.stderr).toMatch(/release hanging did not start 3 times/);
    expect(await state("ed-1-1", "ed")).toBe(`active ${versionOf("ed")}`);
    expect(await lab.on("ed-1-1", "cat /opt/offload/ed/set-aside")).toBe("hanging");
  });

  it("a release that starts stays, until somebody goes back", async () => {
    const next = releaseLike(folder, "next", "ed", (program) => `${program}\n// the next one\n`);
    const said = await wouldChange("deploy", "--limit", "ed-1-1", "--releases", next);
    expect(said["ed-1-1"]).toBeGreaterThan(0);
    await changes(offload("deploy", "--limit", "ed-1-1", "--releases", next));
    expect(await state("ed-1-1", "ed")).toBe("active next");
    expect((await offload("verify")).stderr).toMatch(/ed-1-1 has another release than cbs/);
    expect(await wouldChange("rollback", "--limit", "ed-1-1")).toEqual({ "ed-1-1": 1 });
    expect(await changes(offload("rollback", "--limit", "ed-1-1"))).toEqual({ "ed-1-1": 1 });
    expect(await state("ed-1-1", "ed")).toBe(`active ${versionOf("ed")}`);
    expect(await changes(offload("rollback", "--limit", "ed-1-1"))).toEqual(unchanged(["ed-1-1"]));
  });

  it("a tampered package is not installed", async () => {
    const tampered = releaseLike(folder, "tampered", "ed", (program) => program);
    const sums = join(tampered, "x64", "SHA256SUMS");
    writeFileSync(sums, "");
    const ended = await offload("deploy", "--limit", "ed-1-1", "--releases", tampered);
    expect(ended).toMatchObject({ code: 1 });
    expect(ended.stderr).toMatch(/is not the one in SHA256SUMS/);
  });

  it("a removed node is refused by everyone, the others go on", async () => {
    await lab.on("ed-1-2", "cp -r /etc/offload/keys /var/tmp/stolen");
    // Ends when the server has closed the connection, with or without an answer.
    const knock = (node: string, keys: string, port: number, host: string): Promise<string> =>
      lab.on(
        node,
        `printf 'GET /api/v1/nodes HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' | { timeout 30 openssl s_client -quiet -connect ${lab.hosts[host]}:${port} -cert ${keys}/${node}.pem -key ${keys}/${node}-key.pem -CAfile ${keys}/ca.pem 2>&1; [ $? != 124 ] || echo 'HTTP: nothing in 30 s'; } | tr -d '\\r' | grep '^HTTP' || true`,
      );
    const stolen = (port: number, host: string) => knock("ed-1-2", "/var/tmp/stolen", port, host);
    const own = (port: number, host: string) => () => knock("ed-1-1", "/etc/offload/keys", port, host);
    expect(await stolen(7400, "cbs")).toMatch(/^HTTP\/1.1 403/);
    expect(await stolen(7402, "mec-1")).toMatch(/^HTTP\/1.1 404/);
    expect((await wouldChange("remove", "ed-1-2"))["ed-1-2"]).toBeGreaterThan(0);
    await changes(offload("remove", "ed-1-2"));
    // They answer again, but not to it: a daemon that is still starting would refuse everyone.
    await expect.poll(own(7400, "cbs"), { timeout: 60_000, interval: 500 }).toMatch(/^HTTP\/1.1 403/);
    expect(await stolen(7400, "cbs")).toBe("");
    await expect.poll(own(7402, "mec-1"), { timeout: 60_000, interval: 500 }).toMatch(/^HTTP\/1.1 404/);
    expect(await stolen(7402, "mec-1")).toBe("");
    expect(await lab.on("ed-1-2", "ls /etc/offload /opt/offload/ed 2>/dev/null || echo gone")).toBe("gone");
    expect(await changes(offload("remove", "ed-1-2"))).toMatchObject(unchanged());
    for (const [node, state] of [
      ["mec-1", "connected"],
      ["ed-1-1", "connected"],
      ["ed-1-2", "never seen"],
    ] as const)
      await expect.poll(stateOfNode(node), { timeout: 60_000, interval: 500 }).toBe(state);
  });

  it("a removed node may come back, with a new certificate", async () => {
    await changes(offload("deploy", "--limit", "ed-1-2", ...deployed));
    await expect.poll(stateOfNode("ed-1-2"), { timeout: 60_000, interval: 500 }).toBe("connected");
    const digest = (file: string) => lab.on("ed-1-2", `openssl x509 -noout -fingerprint -in ${file}`);
    expect(await digest("/etc/offload/keys/ed-1-2.pem")).not.toBe(await digest("/var/tmp/stolen/ed-1-2.pem"));
    expect(await state("ed-1-2", "ed")).toBe(`active ${versionOf("ed")}`);
  });

  it("stops and starts", async () => {
    expect(await wouldChange("stop")).toEqual(Object.fromEntries(names.map((host) => [host, 1])));
    expect(await changes(offload("stop"))).toEqual(Object.fromEntries(names.map((host) => [host, 1])));
    expect(await changes(offload("stop"))).toEqual(unchanged());
    expect(await lab.on("mec-1", "systemctl is-active offload-mec || true")).toBe("inactive");
    expect(await wouldChange("start")).toEqual(Object.fromEntries(names.map((host) => [host, 1])));
    const doctor = await offload("doctor", "mec-1");
    expect(doctor.code).toBe(1);
    expect(problemsIn(doctor)).toEqual({ "mec-1": ["daemon: offload start; offload node logs mec-1"] });
    expect(await changes(offload("start"))).toEqual(Object.fromEntries(names.map((host) => [host, 1])));
    expect(await changes(offload("verify"))).toEqual(unchanged());
    const logs = await offload("node", "logs", "mec-1", "--lines", "20");
    expect(logs.stdout).toMatch(/mec-1 is ready on port 7402/);
  });
});

/** What the doctor calls problems, with what mends them, by node. */
const problemsIn = ({ stdout }: Ended): Record<string, string[]> => {
  const { data } = JSON.parse(stdout) as {
    data: { node: string; findings: { condition: string; level: string; mend: string }[] }[];
  };
  return Object.fromEntries(
    data.map(({ node, findings }) => [
      node,
      findings.filter(({ level }) => level === "problem").map(({ condition, mend }) => `${condition}: ${mend}`),
    ]),
  );
};

const percent = (ratio: number): string => `${(100 * ratio).toFixed(1)} %`;

const inventoryOf = ({ hosts, access }: VirtualLab) => {
  const host = (name: string, community?: number) => ({ ansible_host: hosts[name], ...(community && { community }) });
  return {
    all: {
      vars: { ...access, lab_name: "virtual", board: "computer", hardware: "emulated", time_sets_clock: false },
      children: {
        cbs: { hosts: { cbs: host("cbs") } },
        mec: { hosts: { "mec-1": host("mec-1", 1) } },
        ed: { hosts: Object.fromEntries(devices.map((name) => [name, host(name, 1)])) },
      },
    },
  };
};

/** The same hosts as the boards that they stand for. */
const boardsOf = (lab: VirtualLab) => {
  const { all } = inventoryOf(lab);
  const { cbs, mec, ed } = all.children;
  const pi = { board: "raspberry-pi-4", meter: "ina226", harvest_source: "measured", wifi_interface: "wlan0" };
  const vars = { ...all.vars, hardware: "linux", lab_country: "DE" };
  return {
    all: {
      vars,
      children: {
        cbs: { vars: { board: "computer" }, ...cbs },
        mec: { vars: { board: "jetson-tx2", meter: "ina3221" }, ...mec },
        ed: { vars: pi, ...ed },
      },
    },
  };
};

const community = (settingsToFile(presets.testbed) as { communities: Record<string, unknown>[] }).communities[0];
const experiment = {
  name: "virtual",
  preset: "testbed",
  policies: ["greedy", "fair"],
  repetitions: 1,
  seed: 7,
  clock_speed_ratio: 1,
  settings: { communities: [{ ...community, device_count: devices.length }], time_slot_count: 4 },
};
