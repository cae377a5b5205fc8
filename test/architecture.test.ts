import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { expect, it } from "vitest";

/** A package imports only from packages before it in this list; apps come last and import no other app. */
const layers = [
  "units",
  "model",
  "policies",
  "learning",
  "deployed",
  "federation",
  "simulation",
  "records",
  "protocol",
  "hardware",
  "classifier",
];

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

interface Workspace {
  /** Folder name, `model` or `cli`. */
  readonly short: string;
  readonly folder: string;
  /** Place in `layers`; apps have the one after the last. */
  readonly layer: number;
  readonly manifest: Manifest;
  readonly files: readonly string[];
}

const root = join(import.meta.dirname, "..");
const readManifest = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const rootManifest = readManifest(root);

const codeIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|tsx|mts|mjs|js)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !/(^|[/\\])(node_modules|dist)[/\\]/.test(relative(folder, file)));

const workspacesIn = (kind: "packages" | "apps"): Workspace[] =>
  readdirSync(join(root, kind))
    .filter((short) => existsSync(join(root, kind, short, "package.json")))
    .map((short) => {
      const folder = join(root, kind, short);
      const layer = kind === "apps" ? layers.length : layers.indexOf(short);
      return { short, folder, layer, manifest: readManifest(folder), files: codeIn(folder) };
    });

const packages = workspacesIn("packages");
const workspaces = [...packages, ...workspacesIn("apps")];
const byName = new Map(workspaces.map((workspace) => [workspace.manifest.name, workspace]));

const isTest = (file: string): boolean => /\.(test|test-helper|bench)\.tsx?$/.test(file);
/** Vite, Vitest and their like read these; they are not part of what a workspace delivers. */
const isConfiguration = (file: string): boolean => /\.config\.\w+$/.test(file);

const importPatterns = [
  /^\s*(?:import|export)\b[^"';]*?\bfrom\s*["']([^"']+)["']/gm,
  /^\s*import\s*["']([^"']+)["']/gm,
  /\bimport\(\s*["']([^"']+)["']/g,
];
const importsOf = (file: string): string[] => {
  const text = readFileSync(file, "utf8");
  return importPatterns.flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] as string));
};

/** Every import of a workspace's code that breaks a rule, as `file: imported`. */
const offences = (breaks: (workspace: Workspace, imported: string, file: string) => boolean): string[] =>
  workspaces.flatMap((workspace) =>
    workspace.files.flatMap((file) =>
      importsOf(file)
        .filter((imported) => breaks(workspace, imported, file))
        .map((imported) => `${relative(root, file)}: ${imported}`),
    ),
  );

/** `@scope/name/part` and `name/part` without the part. */
const packageName = (imported: string): string =>
  imported
    .split("/")
    .slice(0, imported.startsWith("@") ? 2 : 1)
    .join("/");

const isRelative = (imported: string): boolean => imported.startsWith(".");

it("finds the packages and the imports that it judges", () => {
  expect(packages.map(({ short }) => short)).toEqual(expect.arrayContaining(["units", "model", "policies"]));
  const fair = packages.flatMap(({ files }) => files).find((file) => file.endsWith(join("policies", "src", "fair.ts")));
  expect(importsOf(fair as string)).toEqual(expect.arrayContaining(["@offloadlab/model", "./prospect.ts"]));
});

it("every package has a place in the layers", () => {
  expect(packages.filter(({ layer }) => layer < 0).map(({ short }) => short)).toEqual([]);
});

it("a package imports only from packages above it, and an app from no other app", () => {
  const upward = offences((workspace, imported) => {
    const target = byName.get(packageName(imported));
    return target !== undefined && target !== workspace && target.layer >= workspace.layer;
  });
  expect(upward).toEqual([]);
});

it("a package declares only packages above it", () => {
  const declared = workspaces.flatMap(({ short, layer, manifest }) =>
    Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })
      .filter((name) => (byName.get(name)?.layer ?? -1) >= layer)
      .map((name) => `${short}: ${name}`),
  );
  expect(declared).toEqual([]);
});

it("every import is declared in the package.json of its workspace", () => {
  const undeclared = offences(({ manifest }, imported, file) => {
    if (isRelative(imported) || imported.startsWith("node:") || isConfiguration(file)) return false;
    const declared = {
      ...manifest.dependencies,
      ...manifest.optionalDependencies,
      ...manifest.peerDependencies,
      ...manifest.devDependencies,
      ...(isTest(file) ? rootManifest.devDependencies : {}),
    };
    return !(packageName(imported) in declared);
  });
  expect(undeclared).toEqual([]);
});

it("a relative import stays in its workspace", () => {
  const strays = offences(
    ({ folder }, imported, file) => isRelative(imported) && !resolve(file, "..", imported).startsWith(folder + sep),
  );
  expect(strays).toEqual([]);
});

it("no signal is combined by AbortSignal.any, which may never abort: timeLimit does", () => {
  const combined = workspaces
    .flatMap(({ files }) => files)
    .filter((file) => !isTest(file) && /\bAbortSignal\.any\(/.test(readFileSync(file, "utf8")))
    .map((file) => relative(root, file));
  expect(combined).toEqual([]);
});

it("no error is thrown without a kind: a mistake is a RangeError, a failure has a code", () => {
  const bare = workspaces
    .flatMap(({ files }) => files)
    .filter((file) => !isTest(file) && !isConfiguration(file))
    .filter((file) => /\bthrow new Error\(/.test(readFileSync(file, "utf8")))
    .map((file) => relative(root, file));
  expect(bare).toEqual([]);
});
