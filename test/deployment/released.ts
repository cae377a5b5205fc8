import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What `npm run release -- --arch x64` has built. */
export const releases = join(import.meta.dirname, "../../dist/release");
const arch = "x64";

/** The version of the built release of a daemon. */
export const versionOf = (daemon: string, folder = releases): string => {
  const files = readdirSync(join(folder, arch)).flatMap((file) => {
    const match = new RegExp(`^offload-${daemon}-(.*)-${arch}[.]tar[.]gz$`).exec(file);
    return match === null ? [] : [match[1] as string];
  });
  if (files.length !== 1)
    throw new RangeError(`expected one release of ${daemon} in ${folder}, got ${files.join(", ")}`);
  return files[0] as string;
};

/**
 * The built releases once more under another version, one daemon's program changed.
 *
 * @param change of the program's text
 */
export const releaseLike = (
  folder: string,
  version: string,
  daemon: string,
  change: (program: string) => string,
): string => {
  const [target, work] = [join(folder, version, arch), join(folder, `${version}.work`)];
  cpSync(join(releases, arch), target, { recursive: true });
  const name = `offload-${daemon}-${versionOf(daemon)}-${arch}`;
  const changed = `offload-${daemon}-${version}-${arch}`;
  mkdirSync(work);
  execFileSync("tar", ["-xzf", join(target, `${name}.tar.gz`), "-C", work]);
  const program = join(work, name, `${daemon}.mjs`);
  writeFileSync(program, change(readFileSync(program, "utf8")));
  renameSync(join(work, name), join(work, changed));
  rmSync(join(target, `${name}.tar.gz`));
  execFileSync("tar", ["-czf", join(target, `${changed}.tar.gz`), "-C", work, changed]);
  rmSync(work, { recursive: true });
  const sums = readdirSync(target).filter((file) => file !== "SHA256SUMS");
  const digest = (file: string): string =>
    createHash("sha256")
      .update(readFileSync(join(target, file)))
      .digest("hex");
  writeFileSync(join(target, "SHA256SUMS"), sums.map((file) => `${digest(file)}  ${file}\n`).join(""));
  return join(folder, version);
};
