import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const programs = { munged: "/usr/sbin/munged", slurmctld: "/usr/sbin/slurmctld", slurmd: "/usr/sbin/slurmd" } as const;
type Program = keyof typeof programs;

/** Why there can be no Slurm here, with the command that brings it; undefined where it can run. */
export const slurmAbsent: string | undefined =
  process.getuid?.() !== 0
    ? "Left out: sweeps on a real Slurm (test/slurm). To include them: run the tests as root"
    : Object.values(programs).some((program) => !existsSync(program))
      ? "Left out: sweeps on a real Slurm (test/slurm). To include them: apt-get install -y --no-install-recommends slurm-wlm munge"
      : undefined;

/** As slurmd calls its machine. */
const host = hostname().split(".")[0] ?? "";
const patienceMilliseconds = 20_000;
const pollMilliseconds = 100;
const folderPrefix = "offloadlab-slurm-";
/** Holds the id of the process that has started a node. */
const ownerFile = "owner";

/** A whole Slurm on this machine: one controller, one node with two cores, in a temporary folder and on free ports. */
export class SingleNode {
  /** Gone after `stop()`, with everything that anyone has put there. */
  readonly folder = mkdtempSync(join(tmpdir(), folderPrefix));
  readonly #daemons = new Map<Program, ChildProcess>();

  /** What `SLURM_CONF` must be for Slurm's commands to find this node. */
  readonly configFile = join(this.folder, "slurm.conf");

  /** Ready to take jobs. */
  static async start(): Promise<SingleNode> {
    removeAbandoned();
    const node = new SingleNode();
    try {
      await node.#start();
    } catch (error) {
      await node.stop();
      throw error;
    }
    return node;
  }

  async #start(): Promise<void> {
    // munged wants a path that others can enter but not write to.
    chmodSync(this.folder, 0o755);
    writeFileSync(join(this.folder, ownerFile), `${process.pid}`);
    for (const name of ["state", "spool"]) mkdirSync(join(this.folder, name));
    writeFileSync(join(this.folder, "munge.key"), randomBytes(128), { mode: 0o600 });
    writeFileSync(this.configFile, slurmConf(this.folder, await freePorts(2)));
    const munge = ["key-file=munge.key", "socket=munge.socket", "pid-file=munged.pid", "seed-file=munge.seed"];
    this.#spawn("munged", ["--foreground", ...munge.map((option) => `--${option.replace("=", `=${this.folder}/`)}`)]);
    await this.#until("munged", () => existsSync(join(this.folder, "munge.socket")));
    this.startController();
    this.#spawn("slurmd", ["-D"]);
    await this.#until("slurmctld", async () => (await this.ask("sinfo", "--noheader", "--format=%T")) === "idle");
  }

  startController(): void {
    this.#spawn("slurmctld", ["-D"]);
  }

  /** As on a restart: jobs run on, and nobody can be asked about them. */
  async stopController(): Promise<void> {
    await this.#end("slurmctld");
  }

  /** Loses everything that runs, and is back at once. */
  async fail(): Promise<void> {
    const node = `NodeName=${host}`;
    await this.ask("scontrol", "update", node, "State=DOWN", "Reason=test");
    await this.ask("scontrol", "update", node, "State=RESUME");
  }

  /** The output of one of Slurm's commands, empty when it fails. */
  async ask(command: string, ...args: readonly string[]): Promise<string> {
    const env = { ...process.env, SLURM_CONF: this.configFile };
    const { stdout } = await promisify(execFile)(command, args, { env }).catch(() => ({ stdout: "" }));
    return stdout.trim();
  }

  /** Cancels all jobs, ends all processes and removes the folder. */
  async stop(): Promise<void> {
    if (this.#daemons.has("slurmctld")) {
      await this.ask("scancel", "--user=root");
      await this.#until("squeue", async () => (await this.ask("squeue", "--noheader")) === "").catch(() => undefined);
    }
    for (const name of ["slurmd", "slurmctld", "munged"] as const) await this.#end(name);
    removeNode(this.folder);
  }

  /** Everything that belongs to this Slurm and is still alive: daemons, the keepers of jobs, jobs, commands. */
  processes(): number[] {
    return processesOf(this.configFile);
  }

  #spawn(name: Program, args: readonly string[]): void {
    const log = openSync(join(this.folder, `${name}.log`), "a");
    // Daemons do not outlive the tests, even when those are killed.
    const child = spawn("/usr/bin/setpriv", ["--pdeathsig", "KILL", programs[name], ...args], {
      stdio: ["ignore", log, log],
      env: { ...process.env, SLURM_CONF: this.configFile },
    });
    closeSync(log);
    this.#daemons.set(name, child);
  }

  async #end(name: Program): Promise<void> {
    const child = this.#daemons.get(name);
    this.#daemons.delete(name);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    const late = new AbortController();
    await Promise.race([
      exited,
      sleep(patienceMilliseconds, undefined, { signal: late.signal }).catch(() => undefined),
    ]);
    late.abort();
    child.kill("SIGKILL");
    await exited;
  }

  async #until(name: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (const start = performance.now(); !(await holds()); await sleep(pollMilliseconds)) {
      if (performance.now() - start < patienceMilliseconds) continue;
      const logs = readdirSync(this.folder).filter((file) => file.endsWith(".log"));
      const text = logs.map((file) => `${file}:\n${readFileSync(join(this.folder, file), "utf8")}`).join("\n");
      throw new RangeError(`${name} is not ready after ${patienceMilliseconds} ms\n${text}`);
    }
  }
}

const processesOf = (configFile: string): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => environment(pid).includes(`SLURM_CONF=${configFile}\0`))
    .map(Number);

const removeNode = (folder: string): void => {
  for (const pid of processesOf(join(folder, "slurm.conf"))) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  }
  rmSync(folder, { recursive: true, force: true });
};

/** Tests that were killed could not wait for the end of their jobs. */
const removeAbandoned = (): void => {
  for (const name of readdirSync(tmpdir()).filter((name) => name.startsWith(folderPrefix))) {
    const folder = join(tmpdir(), name);
    const owner = join(folder, ownerFile);
    if (existsSync(owner) && !existsSync(`/proc/${readFileSync(owner, "utf8")}`)) removeNode(folder);
  }
};

/** Empty for a process that has ended in the meantime. */
const environment = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
};

const freePorts = async (count: number): Promise<number[]> => {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
};

/** Quick decisions, no accounting, no control groups: it has to run in a container without systemd. */
const slurmConf = (folder: string, [controllerPort, nodePort]: readonly number[]): string => `
ClusterName=single
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controllerPort}
SlurmdPort=${nodePort}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# Five seconds, the least that Slurm takes, before a requeued job starts again.
AuthInfo=socket=${folder}/munge.socket,cred_expire=5
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0
KillWait=2
MessageTimeout=3
EpilogMsgTime=0
ReturnToService=2
SlurmdParameters=config_overrides
NodeName=${host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=test Nodes=${host} Default=YES MaxTime=INFINITE State=UP
`;
