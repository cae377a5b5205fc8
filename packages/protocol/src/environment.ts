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
