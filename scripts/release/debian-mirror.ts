// Where Debian's packages come from: what builds the boards' C library or a host for a test asks this machine.
// As a program it prints the address.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** A place that apt is told of. */
interface Source {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

/** Says where from, instead of the machine's own sources. */
const variable = "OFFLOAD_DEBIAN_MIRROR";

/**
 * The mirror of Debian that this machine's apt uses, which has older releases too.
 *
 * @param root where its /etc is
 * @throws RangeError when it is no Debian, or its sources name no mirror
 */
export const debianMirror = (root = "/", environment: NodeJS.ProcessEnv = process.env): string => {
  const given = environment[variable];
  if (given !== undefined && given !== "") return given;
  const release = textOf(join(root, "etc/os-release"));
  const codename = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(release)?.[1] ?? "";
  const isDebian = /^ID="?debian"?$/m.test(release);
  const names = [codename, "stable", "oldstable", "testing", "unstable", "sid"];
  const found = isDebian
    ? sourcesBelow(join(root, "etc/apt")).filter(
        ({ uri, suites, components }) =>
          /^(https?|file|copy):/.test(uri) &&
          components.includes("main") &&
          suites.some((suite) => names.includes(suite)),
      )
    : [];
  // Others may serve packages for a release of Debian; a mirror's path says what it is.
  const { uri } = found.find((source) => /\/debian\/?$/.test(source.uri)) ?? found[0] ?? {};
  if (uri === undefined)
    throw new RangeError(
      `expected a mirror of Debian in ${join(root, "etc/apt")}/sources.list or sources.list.d, found none${isDebian ? "" : ": this is no Debian"}; set ${variable} to the address of one`,
    );
  return uri;
};

const textOf = (file: string): string => {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
};

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
};

/** In the order in which apt reads them. */
const sourcesBelow = (folder: string): Source[] => {
  const parts = namesIn(join(folder, "sources.list.d")).map((name) => join("sources.list.d", name));
  return ["sources.list", ...parts].flatMap((name) => {
    const text = textOf(join(folder, name)).replaceAll(/^[ \t]*#.*\n?/gm, "");
    if (name.endsWith(".list")) return text.split("\n").flatMap(sourceOfLine);
    return name.endsWith(".sources") ? text.split(/\n\s*\n/).flatMap(sourcesOfStanza) : [];
  });
};

/** `deb [options] uri suite component...` */
const sourceOfLine = (line: string): Source[] => {
  const [, uri, suite, components] = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)$/.exec(line) ?? [];
  if (uri === undefined || suite === undefined || components === undefined) return [];
  return [{ uri, suites: [suite], components: words(components) }];
};

/** Fields as `URIs: ...`, each with the lines after it that begin with white space. */
const sourcesOfStanza = (stanza: string): Source[] => {
  const field = (name: string): string[] =>
    words(new RegExp(`^${name}:((?:.*)(?:\\n[ \\t].*)*)`, "im").exec(stanza)?.[1] ?? "");
  if (!field("Types").includes("deb") || field("Enabled")[0]?.toLowerCase() === "no") return [];
  return field("URIs").map((uri) => ({ uri, suites: field("Suites"), components: field("Components") }));
};

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) console.log(debianMirror());
