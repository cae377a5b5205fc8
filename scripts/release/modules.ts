import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import type { Architecture } from "./architecture.ts";
import { unpackPackage } from "./npm-package.ts";

/** A package as package-lock.json has it. */
interface Locked {
  readonly version: string;
  readonly integrity: string;
  readonly license?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** A module that a bundle needs beside it. */
export interface Module {
  /** Place in package-lock.json: `node_modules/a/node_modules/b`. */
  readonly place: string;
  readonly name: string;
  readonly version: string;
  readonly integrity: string;
  readonly license: string;
}

/** Only the install script of onnxruntime-node uses these, which nothing here runs. */
const onlyForInstalling = ["adm-zip", "global-agent"];

const fits = (list: readonly string[] | undefined, value: string): boolean =>
  list === undefined || list.includes(value);

/** The packages, everything that they depend on, and of the platform packages those of Linux, glibc and the architecture. */
export const modulesOf = (
  names: readonly string[],
  lock: { readonly packages: Readonly<Record<string, Locked>> },
  architecture: Architecture,
): Module[] => {
  const found = new Map<string, Module>();
  const visit = (name: string, from: string): void => {
    const place = placeOf(name, from, lock.packages);
    const locked = place === undefined ? undefined : lock.packages[place];
    if (place === undefined || locked === undefined || found.has(place)) return;
    const { version, integrity, license = "unknown", os, cpu, libc } = locked;
    if (!fits(os, "linux") || !fits(cpu, architecture.name) || !fits(libc, "glibc")) return;
    found.set(place, { place, name, version, integrity, license });
    for (const each of Object.keys({ ...locked.dependencies, ...locked.optionalDependencies }))
      if (!onlyForInstalling.includes(each)) visit(each, place);
  };
  for (const name of names) visit(name, "");
  return [...found.values()].sort((a, b) => (a.place < b.place ? -1 : 1));
};

/** Where Node would find a package, seen from another: in its own node_modules, or in one above. */
const placeOf = (name: string, from: string, packages: Readonly<Record<string, unknown>>): string | undefined => {
  for (let folder = from; ; ) {
    const place = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (place in packages) return place;
    if (folder === "") return undefined;
    folder = folder.includes("/node_modules/") ? folder.slice(0, folder.lastIndexOf("/node_modules/")) : "";
  }
};

/** Puts a module into a bundle: from the clone's own modules, or fetched when they hold another architecture's. */
export const placeModule = (
  module: Module,
  root: string,
  bundle: string,
  architecture: Architecture,
  cache: string,
): void => {
  const target = join(bundle, module.place);
  const own = join(root, module.place);
  if (existsSync(own)) {
    const { version } = JSON.parse(readFileSync(join(own, "package.json"), "utf8")) as { version: string };
    if (version !== module.version)
      throw new RangeError(`${own}: expected ${module.version} as in package-lock.json, got ${version}; run npm ci`);
    cpSync(own, target, { recursive: true, filter: (path) => basename(path) !== "node_modules" });
  } else {
    unpackPackage(module.name, module.version, module.integrity, target, cache);
  }
  prune(target, architecture);
};

/** Takes out what only other systems, compilers or readers of documentation need. */
const prune = (folder: string, architecture: Architecture): void => {
  for (const name of ["bin/napi-v6/darwin", "bin/napi-v6/win32", "script", "docs", "test"])
    rmSync(join(folder, name), { recursive: true, force: true });
  const native = join(folder, "bin/napi-v6/linux");
  for (const name of existsSync(native) ? readdirSync(native) : [])
    if (name !== architecture.name) rmSync(join(native, name), { recursive: true });
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && /\.([cm]?ts|map|md|cc|h)$/.test(entry.name) && !/^licen[cs]e/i.test(entry.name))
      rmSync(join(entry.parentPath, entry.name));
};
