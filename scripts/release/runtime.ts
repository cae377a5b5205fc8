import { chmodSync, copyFileSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { type Architecture, nodeVersion } from "./architecture.ts";
import { debianMirror } from "./debian-mirror.ts";
import { unpackPackage } from "./npm-package.ts";
import { run } from "./tools.ts";

/** Where the runtime lies on a node: the loader's path is written into the binary, so it cannot lie elsewhere. */
const prefix = "/opt/offload-rt";

/** Loaded with Node, so that a module finds them in memory: many have a RUNPATH, which hides the one that Node inherits. */
export const loadedLibraries = [
  ...["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libresolv.so.2"],
  ...["libstdc++.so.6", "libgcc_s.so.1"],
];
/** Name resolution by files and DNS only: the runtime finds no `.local` names, hosts stand in /etc/hosts. */
const nameServices = ["libnss_files.so.2", "libnss_dns.so.2"];
const packages = ["libc6", "libstdc++6", "libgcc-s1"];
/** Where copyright and change log are: libstdc++ and libgcc share theirs. */
const copyrights = ["libc6", "gcc-10-base"];

/** What stands in the runtime's `release.json`. */
export interface RuntimeRelease {
  readonly node: string;
  readonly architecture: string;
  /** Versions of the Debian packages that the libraries are from. */
  readonly debian: Readonly<Record<string, string>>;
}

/**
 * Builds the portable runtime: the official Node on the C library of Debian 11, which it brings along.
 *
 * It runs where the system's own C library is too old (a Jetson's Ubuntu 18.04) or for 32 bits (Raspbian with a 64-bit
 * kernel). RPATH and not LD_LIBRARY_PATH: what Node spawns, `iw` or `tc`, gets the system's libraries.
 */
export const buildRuntime = (
  architecture: Architecture,
  folder: string,
  work: string,
  cache: string,
): RuntimeRelease => {
  const [debian, node] = [join(work, "debian"), join(work, "node")];
  mkdirSync(debian, { recursive: true });
  const include = `--include=${packages.join(",")}`;
  run("mmdebstrap", [
    "--variant=extract",
    `--architectures=${architecture.debian}`,
    include,
    "bullseye",
    debian,
    debianMirror(),
  ]);
  unpackPackage(`node-linux-${architecture.name}`, nodeVersion, architecture.nodeIntegrity, node, cache);

  for (const name of ["bin", "lib", "LICENSES"]) mkdirSync(join(folder, name), { recursive: true });
  for (const name of [architecture.loader, ...loadedLibraries, ...nameServices]) {
    const places = [join(debian, "lib", architecture.triplet), join(debian, "usr/lib", architecture.triplet)];
    copyFileSync(firstReal(places.map((place) => join(place, name))), join(folder, "lib", name));
    chmodSync(join(folder, "lib", name), 0o755);
  }
  const binary = join(folder, "bin/node");
  copyFileSync(join(node, "bin/node"), binary);
  chmodSync(binary, 0o755);
  // One call for each edit: patchelf 0.14 given two of them together writes the one's value into the other.
  const needed = run("patchelf", ["--print-needed", binary]).split("\n");
  for (const name of loadedLibraries.filter((each) => !needed.includes(each)))
    run("patchelf", ["--add-needed", name, binary]);
  run("patchelf", ["--set-interpreter", `${prefix}/lib/${architecture.loader}`, binary]);
  run("patchelf", ["--force-rpath", "--set-rpath", `${prefix}/lib`, binary]);

  copyFileSync(join(node, "LICENSE"), join(folder, "LICENSES/node"));
  for (const name of copyrights)
    copyFileSync(join(debian, "usr/share/doc", name, "copyright"), join(folder, "LICENSES", name));
  const release = { node: nodeVersion, architecture: architecture.name, debian: debianVersions(debian) };
  writeFileSync(join(folder, "release.json"), `${JSON.stringify(release, null, 2)}\n`);
  rmSync(work, { recursive: true });
  return release;
};

const firstReal = (paths: readonly string[]): string => {
  for (const path of paths) {
    try {
      return realpathSync(path);
    } catch {}
  }
  throw new RangeError(`expected one of ${paths.join(", ")} in Debian's packages`);
};

/** Versions of the extracted packages: their change logs begin with them. */
const debianVersions = (debian: string): Record<string, string> =>
  Object.fromEntries(
    copyrights.map((name) => {
      const log = gunzipSync(readFileSync(join(debian, "usr/share/doc", name, "changelog.Debian.gz"))).toString();
      return [name, /^\S+ \((.+?)\)/.exec(log)?.[1] ?? ""];
    }),
  );
