import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { basename, join, relative } from "node:path";
import type { Architecture } from "./architecture.ts";
import { loadedLibraries } from "./runtime.ts";
import { run } from "./tools.ts";

/** What the bundled libraries of Debian 11 offer: glibc 2.31, libstdc++ of GCC 10. */
const floors = { GLIBC: "2.31", GLIBCXX: "3.4.28", CXXABI: "1.3.12" } as const;

/** One ELF file's needs that the floor does not meet. */
export interface Offence {
  readonly file: string;
  readonly needs: string;
}

/** Compares dotted versions: negative when the first is older. */
export const compareVersions = (a: string, b: string): number => {
  const [left, right] = [a, b].map((version) => version.split(".").map(Number)) as [number[], number[]];
  for (let place = 0; place < Math.max(left.length, right.length); place += 1) {
    const difference = (left[place] ?? 0) - (right[place] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
};

/** Versioned symbols in the output of `readelf -V` that the bundled libraries do not have. */
export const tooNew = (readelf: string): string[] =>
  [...readelf.matchAll(/Name: ((GLIBC|GLIBCXX|CXXABI)_([\d.]+))/g)]
    .filter(([, , family, version]) => compareVersions(version ?? "", floors[family as keyof typeof floors]) > 0)
    .map(([, name]) => name as string);

const isElf = (file: string): boolean => {
  const descriptor = openSync(file, "r");
  const head = Buffer.alloc(4);
  readSync(descriptor, head, 0, 4, 0);
  closeSync(descriptor);
  return head.equals(Buffer.from([0x7f, 0x45, 0x4c, 0x46]));
};

/** Libraries that an ELF file asks for by name, in the output of `readelf -d`. */
const neededBy = (readelf: string): string[] =>
  [...readelf.matchAll(/\(NEEDED\)\s+Shared library: \[(.*)\]/g)].map(([, name]) => name as string);

/**
 * Every ELF file below a folder that is for another machine, needs newer libraries than the bundled ones, or a library
 * that is neither in the folder nor loaded with the runtime: the node's own does not fit to the bundled glibc.
 */
export const elfOffences = (folder: string, architecture: Architecture): { files: number; offences: Offence[] } => {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(isElf);
  const known = [architecture.loader, ...loadedLibraries, ...files.map((file) => basename(file))];
  const offences = files.flatMap((path) => {
    const machine = /Machine:\s+(.*)/.exec(run("readelf", ["-h", path]))?.[1];
    const needs = [
      ...(machine === architecture.machine ? [] : [`a processor ${machine}`]),
      ...new Set(tooNew(run("readelf", ["-VW", path]))),
      ...neededBy(run("readelf", ["-dW", path])).filter((name) => !known.includes(name)),
    ];
    return needs.map((each) => ({ file: relative(folder, path), needs: each }));
  });
  return { files: files.length, offences };
};
