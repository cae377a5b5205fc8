// Builds what the nodes of a lab get, in dist/release/<arch>/: the portable runtime (/opt/offload-rt), one tarball per
// daemon, and SHA256SUMS. Everything that a node needs is inside; nothing is fetched on the lab's network.
//
//   npm run release -- --arch x64 --arch arm64
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Architecture, architectures, nodeVersion } from "./release/architecture.ts";
import { assembleBundle, daemons } from "./release/bundle.ts";
import { elfOffences } from "./release/elf-floor.ts";
import { buildRuntime } from "./release/runtime.ts";
import { run } from "./release/tools.ts";

const root = join(import.meta.dirname, "..");
const releases = join(root, "dist/release");
const cache = join(releases, "cache");

const say = (line: string): void => console.error(line);

/** Commit and version: a release has its commit in its name, so that two versions can lie beside each other on a node. */
const describe = () => {
  const commit = run("git", ["rev-parse", "HEAD"], root).trim();
  const dirty = run("git", ["status", "--porcelain", "--untracked-files=no"], root).trim() !== "";
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  return { version: `${version}-${commit.slice(0, 7)}${dirty ? "-dirty" : ""}`, commit, dirty };
};

/** Packs a folder; the same contents give the same bytes. */
const pack = (parent: string, name: string, target: string): void => {
  const epoch = run("git", ["log", "-1", "--format=%ct"], root).trim();
  const owner = ["--owner=0", "--group=0", "--numeric-owner", "--sort=name", `--mtime=@${epoch}`];
  run("tar", ["--use-compress-program=gzip -n", ...owner, "-cf", target, "-C", parent, name]);
  say(`  ${target.slice(root.length + 1)}, ${(statSync(target).size / 1e6).toFixed(0)} MB`);
};

const checkFloor = (folder: string, architecture: Architecture): void => {
  const { files, offences } = elfOffences(folder, architecture);
  if (offences.length > 0)
    throw new RangeError(
      `these need more than the runtime brings:\n${offences.map(({ file, needs }) => `${file}: ${needs}`).join("\n")}`,
    );
  say(`  ${files} ELF files need glibc 2.31 and GCC 10 at the most`);
};

const digestOf = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

/** Part of the runtime's name: it is built anew when what builds it has changed, and only then. */
const runtimeRecipe = (): string => {
  const sources = ["runtime.ts", "architecture.ts", "npm-package.ts"].map((name) =>
    readFileSync(join(import.meta.dirname, "release", name)),
  );
  return createHash("sha256").update(Buffer.concat(sources)).digest("hex").slice(0, 8);
};

const releaseFor = (architecture: Architecture): void => {
  const started = performance.now();
  const release = describe();
  const { name: arch } = architecture;
  say(`Release ${release.version} for ${arch}`);
  const target = join(releases, arch);
  mkdirSync(target, { recursive: true });
  const work = mkdtempSync(join(releases, "work-"));
  try {
    const runtime = `offload-rt-${nodeVersion}-${runtimeRecipe()}-${arch}.tar.gz`;
    if (!readdirSync(target).includes(runtime)) {
      buildRuntime(architecture, join(work, "offload-rt"), join(work, "parts"), cache);
      checkFloor(join(work, "offload-rt"), architecture);
      pack(work, "offload-rt", join(work, runtime));
      renameSync(join(work, runtime), join(target, runtime));
    }
    for (const file of readdirSync(target)) if (file !== runtime) rmSync(join(target, file));
    for (const daemon of daemons) {
      const name = `offload-${daemon}-${release.version}-${arch}`;
      assembleBundle(daemon, release, architecture, root, join(work, name), cache);
      checkFloor(join(work, name), architecture);
      pack(work, name, join(target, `${name}.tar.gz`));
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const sums = readdirSync(target)
    .sort()
    .map((file) => `${digestOf(join(target, file))}  ${file}\n`);
  writeFileSync(join(target, "SHA256SUMS"), sums.join(""));
  say(`  done in ${((performance.now() - started) / 1000).toFixed(0)} s`);
};

const { values } = parseArgs({
  options: { arch: { type: "string", multiple: true, default: Object.keys(architectures) } },
});
const wanted = values.arch.map((name) => {
  if (!Object.hasOwn(architectures, name))
    throw new RangeError(`Expected --arch ${Object.keys(architectures).join(" or ")}, got ${name}`);
  return architectures[name as Architecture["name"]];
});
mkdirSync(releases, { recursive: true });
for (const architecture of wanted) releaseFor(architecture);
