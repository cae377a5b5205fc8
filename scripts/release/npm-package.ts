import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "./tools.ts";

/**
 * Fetches a package with npm, checks it against a digest that this repository holds, and unpacks it.
 *
 * @param integrity `sha512-...` as in package-lock.json
 * @param cache folder of the tarballs; one that is there is not fetched again
 */
export const unpackPackage = (
  name: string,
  version: string,
  integrity: string,
  folder: string,
  cache: string,
): void => {
  mkdirSync(cache, { recursive: true });
  const tarball = join(cache, `${name.replace("@", "").replace("/", "-")}-${version}.tgz`);
  if (!existsSync(tarball)) run("npm", ["pack", "--silent", `${name}@${version}`, "--pack-destination", cache]);
  const got = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
  if (got !== integrity) {
    rmSync(tarball);
    throw new RangeError(`${name}@${version}: expected ${integrity}, got ${got}; the file is deleted, run this again`);
  }
  mkdirSync(folder, { recursive: true });
  run("tar", ["-xzf", tarball, "-C", folder, "--strip-components=1", "--no-same-owner"]);
};
