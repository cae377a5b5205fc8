import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { arch, cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** What a node runs on, for the archive. Values that cannot be found out are null. */
export type Environment = Readonly<Record<string, unknown>>;

const firstLine = async (file: string): Promise<string | null> =>
  readFile(file, "utf8").then(
    (text) => text.split("\n")[0] ?? null,
    () => null,
  );

/** From the release that this program is of, or from the clone that it was started in. */
const codeState = async (folder: string): Promise<{ commit: string | null; dirty: boolean | null }> => {
  const release = await readFile(join(folder, "release.json"), "utf8").catch(() => undefined);
  if (release !== undefined) {
    const { commit, dirty } = JSON.parse(release) as { commit: string; dirty: boolean };
    return { commit, dirty };
  }
  const git = (...args: string[]) => promisify(execFile)("git", ["-C", folder, ...args]);
  try {
    const [head, status] = await Promise.all([
      git("rev-parse", "HEAD"),
      // Results are what the code makes: writing them does not make it other code.
      git("status", "--porcelain", "--untracked-files=no", "--", ":(top)", ":(top,exclude)results"),
    ]);
    return { commit: head.stdout.trim(), dirty: status.stdout.trim() !== "" };
  } catch {
    return { commit: null, dirty: null };
  }
};

/** The code's commit, the system and the processor of this node. */
export const readEnvironment = async (): Promise<Environment> => {
  const [git, governor, model] = await Promise.all([
    codeState(import.meta.dirname),
    firstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    firstLine("/proc/device-tree/model"),
  ]);
  const processors = cpus();
  return {
    ...git,
    node_version: process.version,
    kernel: `${type()} ${release()}`,
    architecture: arch(),
    board: model?.replaceAll("\0", "") ?? null,
    processor: processors[0]?.model ?? null,
    processor_count: processors.length,
    memory_bytes: totalmem(),
    governor,
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
};

/**
 * `readEnvironment`, and what takes a second or two to find out: the system's release, the disk, the network. A node asks once,
 * at its start. Addresses and serial numbers stay at the node.
 */
export const readNodeEnvironment = async (): Promise<Environment> => {
  // Loaded when it is asked: it is large, and only nodes ask.
  const { osInfo, diskLayout, fsSize, networkInterfaces } = await import("systeminformation");
  const [environment, system, disks, filesystems, interfaces] = await Promise.all([
    readEnvironment(),
    osInfo(),
    diskLayout(),
    fsSize(),
    networkInterfaces(),
  ]);
  const root = filesystems.find(({ mount }) => mount === "/");
  return {
    ...environment,
    os_release: `${system.distro} ${system.release} (${system.codename})`,
    disks: disks.map(({ name, type, size }) => ({ name, type, size_bytes: size })),
    root_filesystem: root === undefined ? null : { device: root.fs, type: root.type, size_bytes: root.size },
    network: [interfaces]
      .flat()
      .filter(({ internal }) => !internal)
      .map(({ iface, type, operstate, mtu, speed, default: isDefault }) => ({
        name: iface,
        type,
        state: operstate,
        mtu_bytes: mtu,
        // Kernels say -1 of a link without a speed, as of radios.
        bits_per_second: speed === null || speed < 0 ? null : speed * 1e6,
        carries_the_default_route: isDefault,
      })),
  };
};
