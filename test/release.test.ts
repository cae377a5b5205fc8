import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { architectures } from "../scripts/release/architecture.ts";
import { compareVersions, elfOffences, tooNew } from "../scripts/release/elf-floor.ts";
import { modulesOf } from "../scripts/release/modules.ts";

const root = join(import.meta.dirname, "..");
const lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));

it("versions are compared as numbers, place by place", () => {
  expect(compareVersions("2.4", "2.31")).toBeLessThan(0);
  expect(compareVersions("3.4.28", "3.4.28")).toBe(0);
  expect(compareVersions("2.31.1", "2.31")).toBeGreaterThan(0);
});

it("symbols newer than the bundled libraries are found in readelf's list, older ones are not", () => {
  const list = [
    "GLIBC_2.17",
    "GLIBC_2.31",
    "GLIBC_2.34",
    "GLIBCXX_3.4.28",
    "GLIBCXX_3.4.29",
    "CXXABI_1.3.13",
    "GCC_9.0",
  ];
  const readelf = list.map((name) => `  0x0010:   Name: ${name}  Flags: none  Version: 4`).join("\n");
  expect(tooNew(readelf)).toEqual(["GLIBC_2.34", "GLIBCXX_3.4.29", "CXXABI_1.3.13"]);
});

it.each(["x64", "arm64"] as const)(
  "a bundle for %s takes the platform packages of its own architecture alone",
  (name) => {
    const modules = modulesOf(["onnxruntime-node", "sharp"], lock, architectures[name]).map((module) => module.name);
    const other = name === "x64" ? "arm64" : "x64";
    expect(modules).toEqual(expect.arrayContaining(["onnxruntime-common", `@img/sharp-linux-${name}`]));
    expect(modules).toContain(`@img/sharp-libvips-linux-${name}`);
    expect(modules.filter((module) => /darwin|win32|musl|wasm/.test(module) || module.includes(other))).toEqual([]);
  },
);

it("a package that lies in another's node_modules is found there before the one above", () => {
  const part = { version: "2.0.0", integrity: "sha512-b" };
  const packages = {
    "node_modules/a": { version: "1.0.0", integrity: "sha512-a", dependencies: { b: "2", "node-gyp": "1" } },
    "node_modules/a/node_modules/b": { ...part, dependencies: { c: "1" } },
    "node_modules/b": { ...part, version: "1.0.0" },
    "node_modules/c": { ...part, dependencies: { b: "1" } },
  };
  expect(modulesOf(["a"], { packages }, architectures.x64).map(({ place }) => place)).toEqual([
    "node_modules/a",
    "node_modules/a/node_modules/b",
    "node_modules/b",
    "node_modules/c",
  ]);
});

it("an ELF file of another architecture is an offence", () => {
  const folder = join(root, "node_modules/onnxruntime-node/bin/napi-v6/linux/arm64");
  expect(elfOffences(folder, architectures.arm64)).toMatchObject({ files: 2, offences: [] });
  // The loader too is another's.
  expect(elfOffences(folder, architectures.x64).offences.map(({ needs }) => needs)).toEqual(
    Array(2).fill(["a processor AArch64", "ld-linux-aarch64.so.1"]).flat(),
  );
});
