import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import type { Architecture } from "./architecture.ts";
import { type Module, modulesOf, placeModule } from "./modules.ts";

export const daemons = ["ed", "mec", "cbs"] as const;
export type Daemon = (typeof daemons)[number];

/** What esbuild says of the bundles, as far as it matters here. */
interface Metafile {
  readonly outputs: Readonly<
    Record<
      string,
      {
        readonly imports: readonly { readonly path: string; readonly kind: string; readonly external?: boolean }[];
        readonly inputs: Readonly<Record<string, unknown>>;
      }
    >
  >;
}

/** Engines of a developer's machine, imported only when asked for. */
const notOnNodes = ["@tensorflow/tfjs", "@tensorflow/tfjs-node"];

const readJson = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"));

/**
 * A daemon as one folder: its program, the workers that it starts, the native modules that no bundle can hold, and the
 * licences of both.
 */
export const assembleBundle = (
  daemon: Daemon,
  release: { readonly version: string; readonly commit: string; readonly dirty: boolean },
  architecture: Architecture,
  root: string,
  folder: string,
  cache: string,
): void => {
  const dist = join(root, "dist");
  const { outputs } = readJson(join(dist, "daemons.meta.json")) as Metafile;
  const programs = programsOf(daemon, dist, Object.keys(outputs));
  mkdirSync(folder, { recursive: true });
  for (const program of programs)
    for (const file of [`${program}.mjs`, `${program}.mjs.map`]) copyFileSync(join(dist, file), join(folder, file));
  if (programs.includes("classifier-worker"))
    cpSync(join(dist, "classifier"), join(folder, "classifier"), { recursive: true });
  if (daemon === "cbs") cpSync(join(root, "apps/cbs/dist/dashboard"), join(folder, "dashboard"), { recursive: true });

  const used = programs.map((program) => outputs[`dist/${program}.mjs`]).filter((output) => output !== undefined);
  const externals = used
    .flatMap(({ imports }) => imports.filter(({ external }) => external === true).map(({ path }) => path))
    .filter((path) => !path.startsWith("node:") && !builtinModules.includes(path) && !notOnNodes.includes(path));
  const modules = modulesOf([...new Set(externals)], readJson(join(root, "package-lock.json")) as never, architecture);
  for (const module of modules) placeModule(module, root, folder, architecture, cache);

  const inputs = used.flatMap((output) => Object.keys(output.inputs));
  writeLicences(root, folder, inputs, modules);
  const contents = { ...release, daemon, architecture: architecture.name };
  writeFileSync(join(folder, "release.json"), `${JSON.stringify(contents, null, 2)}\n`);
};

/** The daemon and the workers that it starts: their file names stand in the programs that start them. */
const programsOf = (daemon: string, dist: string, outputs: readonly string[]): string[] => {
  const names = outputs
    .filter((path) => path.endsWith(".mjs"))
    .map((path) => path.slice("dist/".length, -".mjs".length));
  const found = new Set([daemon]);
  for (const program of found) {
    const text = readFileSync(join(dist, `${program}.mjs`), "utf8");
    for (const name of names) if (text.includes(`./${name}.mjs`)) found.add(name);
  }
  return [...found];
};

/** `LICENSES/`: the texts of everything inside, and a list with the licence of each. */
const writeLicences = (root: string, folder: string, inputs: readonly string[], modules: readonly Module[]): void => {
  const target = join(folder, "LICENSES");
  mkdirSync(target);
  copyFileSync(join(root, "LICENSE"), join(target, "offloadlab"));
  const bundled = inputs.flatMap((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []);
  const places = [
    ...new Set([...bundled.map((place) => join(root, place)), ...modules.map(({ place }) => join(folder, place))]),
  ];
  const list = places.sort().map((place) => {
    const { name, version, license = "unknown" } = readJson(join(place, "package.json")) as Record<string, string>;
    const text = readdirSync(place).find((file) => /^(licen[cs]e|copying)/i.test(file));
    const file = `${name?.replace("@", "").replace("/", "-")}-${version}`;
    if (text !== undefined && existsSync(join(place, text))) copyFileSync(join(place, text), join(target, file));
    return `${name} ${version}: ${license}${text === undefined ? ", the package brings no text" : ""}`;
  });
  writeFileSync(join(target, "LIST"), `${[...new Set(list)].join("\n")}\n`);
};
