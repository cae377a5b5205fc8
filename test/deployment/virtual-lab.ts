import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { debianRoot } from "./debian-root.ts";

const cli = join(import.meta.dirname, "../../apps/cli/bin/offload.mjs");
const patienceMilliseconds = 60_000;

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const programs = ["systemd-nspawn", "mmdebstrap", "ansible-playbook", "ssh", "ssh-keygen", "ip", "tc", "iptables"];
const packages = "systemd-container mmdebstrap ansible-core openssh-client iproute2 iptables";
const onPath = (program: string): boolean =>
  (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, program)));

/** Whoever asks for these tests gets them, or hears why not: they are not left out. */
const expectPrograms = (): void => {
  if (process.getuid?.() !== 0) throw new RangeError("deployment to booted hosts: expected root, for containers");
  const missing = programs.filter((program) => !onPath(program));
  if (missing.length > 0)
    throw new RangeError(
      `deployment to booted hosts: expected ${missing.join(", ")}; apt-get install -y --no-install-recommends ${packages}`,
    );
};

const run = (program: string, ...args: readonly string[]): string =>
  execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const attempt = (program: string, ...args: readonly string[]): void => {
  try {
    run(program, ...args);
  } catch {}
};

/** Linux's default and the boards'; this machine's own may be another one, which takes losses differently. */
const boardsCongestionControl = "cubic";

/** Hierarchies in which every host gets a group of its own; of version 1, or the one of version 2. */
const hierarchies = ["systemd", "unified", "cpu", "memory", "pids"]
  .map((name) => join("/sys/fs/cgroup", name))
  .filter((folder) => existsSync(join(folder, "cgroup.procs")));
const groups = hierarchies.length > 0 ? hierarchies : ["/sys/fs/cgroup"];

/**
 * Machines of Debian 11, the base of Raspbian 11, with systemd as their first process and ssh, on a network of their own
 * on this machine: each a container over one shared root file system, in a network namespace behind a bridge.
 *
 * Their kernel, clock and processors are this machine's: no boards, but real hosts for everything that deploys.
 */
export class VirtualLab {
  /** Gone after `stop()`. */
  readonly folder = mkdtempSync(join(tmpdir(), "offloadlab-virtual-"));
  /** Addresses by name. */
  readonly hosts: Readonly<Record<string, string>>;
  /** TCP's, for every connection between hosts: the boards' if this machine's kernel has it, its own otherwise. */
  readonly congestionControl = ipv4("tcp_available_congestion_control").split(" ").includes(boardsCongestionControl)
    ? boardsCongestionControl
    : ipv4("tcp_congestion_control");
  readonly #prefix = `ofl${process.pid}`;
  readonly #containers = new Map<string, ChildProcess>();

  private constructor(names: readonly string[]) {
    this.hosts = Object.fromEntries(names.map((name, index) => [name, `10.77.0.${11 + index}`]));
  }

  /** Hosts that answer ssh. */
  static async start(names: readonly string[]): Promise<VirtualLab> {
    expectPrograms();
    const base = await debianRoot();
    const lab = new VirtualLab(names);
    try {
      lab.#network();
      run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", lab.#key);
      for (const name of names) lab.#boot(name, base);
      await Promise.all(names.map((name) => lab.#reachable(name)));
    } catch (error) {
      await lab.stop();
      throw error;
    }
    return lab;
  }

  /** The operator's network namespace. */
  get #lan(): string {
    return `${this.#prefix}-lan`;
  }

  get #key(): string {
    return join(this.folder, "key");
  }

  /** Variables that let Ansible and ssh in. */
  get access(): Readonly<Record<string, string>> {
    return {
      ansible_user: "lab",
      ansible_python_interpreter: "/usr/bin/python3",
      ansible_ssh_private_key_file: this.#key,
      ansible_ssh_common_args: `-o UserKnownHostsFile=${join(this.folder, "known_hosts")}`,
    };
  }

  /** Runs `offload` where the operator sits: on the network of the hosts. */
  offload(...args: readonly string[]): Promise<Ended> {
    return this.#collect(this.#operator(process.execPath, cli, ...args));
  }

  /** Runs a shell command on a host, as root. */
  ssh(name: string, command: string): Promise<Ended> {
    const options = [
      ...["-i", this.#key, "-o", "StrictHostKeyChecking=accept-new", "-o", "ConnectTimeout=3", "-o", "LogLevel=ERROR"],
      ...["-o", `UserKnownHostsFile=${join(this.folder, "known_hosts")}`],
    ];
    return this.#collect(
      this.#operator("ssh", ...options, `lab@${this.hosts[name]}`, "--", "sudo", "sh", "-c", quoted(command)),
    );
  }

  /** The output of a command on a host that must succeed. */
  async on(name: string, command: string): Promise<string> {
    const { code, stdout, stderr } = await this.ssh(name, command);
    if (code !== 0) throw new RangeError(`${name}: ${command} ended with ${code}\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /** Waits until a command on a host prints what is expected. */
  async until(name: string, command: string, expected: (output: string) => boolean): Promise<string> {
    const deadline = performance.now() + patienceMilliseconds;
    for (;;) {
      const { stdout } = await this.ssh(name, command);
      if (expected(stdout.trim())) return stdout.trim();
      if (performance.now() > deadline) throw new RangeError(`${name}: ${command} still prints ${stdout.trim()}`);
      await sleep(200);
    }
  }

  /** Makes a Node process on a host spin for ever, through its debugger: the process lives, its event loop does not turn. */
  async blockEventLoop(name: string, pid: string): Promise<void> {
    await this.on(name, `kill -USR1 ${pid}`);
    const program = readFileSync(join(import.meta.dirname, "block-event-loop.mjs"), "utf8");
    await this.on(name, `/opt/offload-rt/bin/node --input-type=module --eval ${quoted(program)}`);
  }

  /** Ends a host's container as a reboot does, and starts it again. */
  async reboot(name: string): Promise<void> {
    const rebooted = this.rebooted(name);
    await this.ssh(name, "systemctl reboot");
    await rebooted;
  }

  /** Waits for a reboot that the host was told of, with which its container ends, and starts it again. */
  async rebooted(name: string): Promise<void> {
    await once(this.#containers.get(name) as ChildProcess, "close");
    this.#enter(name);
    await this.#reachable(name);
  }

  /** Traffic control on the way out of a host, where the sender's limits are: the words after `tc`. */
  trafficControl(name: string, line: string): void {
    run("ip", "netns", "exec", this.#namespace(name), "tc", ...line.split(" "));
  }

  /** Loses a part of the packets that bring a host data on a port, at random, as they come in. */
  loseData(name: string, port: number, ratio: number): void {
    const rule = `-p tcp --dport ${port} -m length --length 1000:65535 -m statistic --mode random --probability ${ratio}`;
    run("ip", "netns", "exec", this.#namespace(name), "iptables", "-A", "INPUT", ...rule.split(" "), "-j", "DROP");
  }

  /** Ends `loseData`. @returns how many packets were lost */
  loseNoData(name: string): number {
    const inside = ["netns", "exec", this.#namespace(name), "iptables"];
    const counters = run("ip", ...inside, "-L", "INPUT", "-v", "-x", "-n");
    run("ip", ...inside, "-F", "INPUT");
    return Number(/^\s*(\d+) .*DROP/m.exec(counters)?.[1]);
  }

  /** Pulls a host's plug out of the switch, or puts it in again. */
  setLink(name: string, state: "up" | "down"): void {
    run("ip", "-n", this.#lan, "link", "set", `p${Object.keys(this.hosts).indexOf(name)}`, state);
  }

  async stop(): Promise<void> {
    const namespaces = [this.#lan, ...Object.keys(this.hosts).map((name) => this.#namespace(name))];
    for (const name of this.#containers.keys()) this.#kill(name);
    await Promise.all(
      [...this.#containers.values()].map((child) => child.exitCode ?? child.signalCode ?? once(child, "close")),
    );
    for (const namespace of namespaces) {
      for (const pid of pidsIn(namespace)) attempt("kill", "-KILL", pid);
      attempt("ip", "netns", "del", namespace);
    }
    for (const name of Object.keys(this.hosts)) {
      attempt("umount", join(this.folder, name, "root"));
      for (const group of groups) removeGroups(join(group, `${this.#prefix}-${name}`));
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #namespace(name: string): string {
    return `${this.#prefix}-${name}`;
  }

  #network(): void {
    const lan = this.#lan;
    run("ip", "netns", "add", lan);
    run("ip", "-n", lan, "link", "set", "lo", "up");
    run("ip", "-n", lan, "link", "add", "br0", "type", "bridge", "forward_delay", "0", "stp_state", "0");
    run("ip", "-n", lan, "addr", "add", "10.77.0.1/24", "dev", "br0");
    run("ip", "-n", lan, "link", "set", "br0", "up");
    for (const [index, [name, address]] of Object.entries(this.hosts).entries()) {
      const namespace = this.#namespace(name);
      run("ip", "netns", "add", namespace);
      run("ip", "-n", namespace, "link", "set", "lo", "up");
      run("ip", "link", "add", "eth0", "netns", namespace, "type", "veth", "peer", "name", `p${index}`, "netns", lan);
      run("ip", "-n", lan, "link", "set", `p${index}`, "master", "br0", "up");
      run("ip", "-n", namespace, "addr", "add", `${address}/24`, "dev", "eth0");
      run("ip", "-n", namespace, "link", "set", "eth0", "up");
      // Of the route and not of the namespace, which may take only what the machine allows to everyone.
      const route = `10.77.0.0/24 dev eth0 scope link src ${address} congctl ${this.congestionControl}`;
      run("ip", "-n", namespace, "route", "replace", ...route.split(" "));
    }
  }

  /** One host: a layer of its own over the shared root, identities of its own, its first process. */
  #boot(name: string, base: string): void {
    const folder = join(this.folder, name);
    const upper = join(folder, "upper");
    for (const part of ["upper/etc/ssh", "upper/home/lab/.ssh", "work", "root"])
      mkdirSync(join(folder, part), { recursive: true });
    writeFileSync(join(upper, "etc/hostname"), `${name}\n`);
    writeFileSync(join(upper, "etc/machine-id"), "");
    writeFileSync(join(upper, "etc/hosts"), `127.0.0.1 localhost\n127.0.1.1 ${name}\n`);
    writeFileSync(join(upper, "home/lab/.ssh/authorized_keys"), readFileSync(`${this.#key}.pub`));
    run("chown", "-R", "1000:1000", join(upper, "home/lab"));
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", join(upper, "etc/ssh/ssh_host_ed25519_key"));
    const layers = `lowerdir=${base},upperdir=${upper},workdir=${join(folder, "work")}`;
    run("mount", "-t", "overlay", "overlay", "-o", layers, join(folder, "root"));

    for (const group of groups) mkdirSync(join(group, `${this.#prefix}-${name}`), { recursive: true });
    this.#enter(name);
  }

  /** Starts the first process of a host. */
  #enter(name: string): void {
    const folder = join(this.folder, name);
    const own = groups.map((group) => join(group, `${this.#prefix}-${name}`));
    const console = openSync(join(folder, "console.log"), "a");
    const nspawn = [
      ...[
        "systemd-nspawn",
        "--quiet",
        "--boot",
        `--directory=${join(folder, "root")}`,
        `--machine=${this.#namespace(name)}`,
      ],
      ...["--register=no", "--keep-unit", `--hostname=${name}`, "--link-journal=no", "--resolv-conf=off"],
      ...["--timezone=off", "--console=read-only", `--network-namespace-path=/run/netns/${this.#namespace(name)}`],
    ];
    const enter = own.map((group) => `echo $$ > ${group}/cgroup.procs`).join("; ");
    // The tests' end is the host's end.
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "sh", "-c", `${enter}; exec "$@"`, "sh", ...nspawn], {
      stdio: ["ignore", console, console],
      detached: true,
    });
    closeSync(console);
    this.#containers.set(name, child);
  }

  async #reachable(name: string): Promise<void> {
    await this.until(name, "systemctl is-system-running", (state) => state === "running" || state === "degraded");
  }

  #kill(name: string): void {
    const child = this.#containers.get(name);
    for (const group of groups) {
      const kill = join(group, `${this.#prefix}-${name}`, "cgroup.kill");
      if (existsSync(kill)) writeFileSync(kill, "1");
    }
    child?.kill("SIGKILL");
  }

  #operator(program: string, ...args: readonly string[]): ChildProcess {
    return spawn("ip", ["netns", "exec", this.#lan, program, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        NO_COLOR: "1",
        // Masters of ssh connections of another lab with the same addresses would lead astray.
        ANSIBLE_SSH_CONTROL_PATH_DIR: join(this.folder, "cp"),
      },
    });
  }

  async #collect(child: ChildProcess): Promise<Ended> {
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (text) => (stdout += String(text)));
    child.stderr?.on("data", (text) => (stderr += String(text)));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stdout, stderr };
  }
}

const quoted = (command: string): string => `'${command.replaceAll("'", "'\\''")}'`;

/** A setting of this machine's network. */
const ipv4 = (name: string): string => readFileSync(join("/proc/sys/net/ipv4", name), "utf8").trim();

const pidsIn = (namespace: string): string[] => {
  try {
    return run("ip", "netns", "pids", namespace).split("\n").filter(Boolean);
  } catch {
    return [];
  }
};

/** A group and those that the host has made in it, the innermost first. */
const removeGroups = (folder: string): void => {
  if (!existsSync(folder)) return;
  const inner = run("find", folder, "-depth", "-type", "d").split("\n").filter(Boolean);
  for (const group of inner) {
    try {
      rmdirSync(group);
    } catch {}
  }
};
