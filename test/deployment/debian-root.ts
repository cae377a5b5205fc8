import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { debianMirror } from "../../scripts/release/debian-mirror.ts";

const suite = "bullseye";
const include = [
  ...["systemd", "systemd-sysv", "dbus", "openssh-server", "sudo", "procps"],
  ...["python3-minimal", "python3-apt", "iproute2", "iputils-ping", "ca-certificates", "openssl", "chrony"],
];
/** A user as on a flashed board: enters with a key, and may everything. */
const user = [
  "useradd --create-home --shell /bin/bash --uid 1000 lab",
  "echo 'lab ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/lab",
  "rm -f /etc/ssh/ssh_host_*",
];

/**
 * The root file system of a host, built once (some minutes) and kept in the user's cache.
 *
 * @returns its folder, which nobody may write to
 */
export const debianRoot = async (): Promise<string> => {
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "offloadlab");
  const digest = createHash("sha256")
    .update(JSON.stringify([suite, include, user]))
    .digest("hex")
    .slice(0, 8);
  const root = join(cache, `root-${suite}-${digest}`);
  if (existsSync(join(root, "complete"))) return join(root, "fs");
  mkdirSync(cache, { recursive: true });
  const draft = `${root}.${process.pid}`;
  console.error(`Building a root file system of Debian ${suite}, some minutes; it is kept in ${root}`);
  try {
    mkdirSync(draft);
    const hooks = user.map((command) => `--customize-hook=chroot "$1" sh -c ${JSON.stringify(command)}`);
    const options = ["--variant=minbase", `--include=${include.join(",")}`, ...hooks];
    const args = [...options, suite, join(draft, "fs"), debianMirror()];
    await promisify(execFile)("mmdebstrap", args, { maxBuffer: 64 << 20 });
    writeFileSync(join(draft, "complete"), "");
    rmSync(root, { recursive: true, force: true });
    renameSync(draft, root);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
  return join(root, "fs");
};
