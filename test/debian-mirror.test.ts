import { afterEach, expect, it } from "vitest";
import { debianMirror } from "../scripts/release/debian-mirror.ts";
import { BoardTree } from "./board-tree.ts";

const trees: BoardTree[] = [];
afterEach(() => {
  for (const tree of trees.splice(0)) tree.remove();
});

const debian12 = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\n`;
const machine = (sources: Readonly<Record<string, string>>, release = debian12): string => {
  const files = Object.entries(sources).map(([name, text]) => [`etc/apt/${name}`, text]);
  const tree = new BoardTree({ "etc/os-release": release, ...Object.fromEntries(files) });
  trees.push(tree);
  return tree.root;
};
const others = {
  "sources.list.d/node.sources":
    "Types: deb\nURIs: https://node.example/node_20.x\nSuites: nodistro\nComponents: main\n",
  "sources.list.d/cloud.list": "deb https://packages.example/apt cloud-bookworm main\n",
};

it.each([
  [
    "lines",
    "sources.list",
    `# deb http://old.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] https://mirror.example/debian/ bookworm main contrib
deb http://security.example/debian-security bookworm-security main
`,
    "https://mirror.example/debian/",
  ],
  [
    "stanzas",
    "sources.list.d/debian.sources",
    `Enabled: no
Types: deb
URIs: http://old.example/debian
Suites: bookworm
Components: main

# What is used:
Types: deb deb-src
# not http://older.example/debian
URIs:
 http://mirror.example/debian
 http://second.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`,
    "http://mirror.example/debian",
  ],
  [
    "the name of its age",
    "sources.list",
    "deb http://mirror.example/debian stable main\n",
    "http://mirror.example/debian",
  ],
])("is the mirror of the machine's own apt, in %s", (_, file, text, expected) => {
  expect(debianMirror(machine({ ...others, [file]: text }), {})).toBe(expected);
});

it("others that serve packages for the same release come after a mirror", () => {
  const media = "deb http://media.example bookworm main\n";
  const sources = { "sources.list": `${media}deb http://mirror.example/debian bookworm main\n` };
  expect(debianMirror(machine(sources), {})).toBe("http://mirror.example/debian");
  expect(debianMirror(machine({ "sources.list": media }), {})).toBe("http://media.example");
});

it("is what the environment says, whatever apt uses", () => {
  const sources = { "sources.list": "deb http://mirror.example/debian bookworm main\n" };
  expect(debianMirror(machine(sources), { OFFLOAD_DEBIAN_MIRROR: "http://mine.example/d" })).toBe(
    "http://mine.example/d",
  );
});

it("a machine without one, or that is no Debian, says what to set", () => {
  expect(() => debianMirror(machine(others), {})).toThrow(/found none; set OFFLOAD_DEBIAN_MIRROR/);
  expect(() => debianMirror(machine({}), {})).toThrow(/expected a mirror of Debian in .*found none; set/);
  const ubuntu = "VERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\n";
  const sources = { "sources.list": "deb http://archive.example/ubuntu noble main\n" };
  expect(() => debianMirror(machine(sources, ubuntu), {})).toThrow(/found none: this is no Debian; set/);
});
