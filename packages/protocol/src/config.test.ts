import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Type } from "typebox";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readConfig } from "./config.ts";
import { readerOf } from "./schema.ts";

const reader = readerOf(Type.Object({ node: Type.String(), port: Type.Integer() }), "config/invalid");
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "config-"));
});
afterAll(() => rm(folder, { recursive: true }));

const fileWith = async (text: string): Promise<string> => {
  const file = join(folder, "node.yaml");
  await writeFile(file, text);
  return file;
};

it("reads YAML, and JSON, which is YAML", async () => {
  const expected = { node: "ed-1-1", port: 7 };
  expect(await readConfig(await fileWith("# a device\nnode: ed-1-1\nport: 7\n"), reader)).toEqual(expected);
  expect(await readConfig(await fileWith(JSON.stringify(expected)), reader)).toEqual(expected);
});

it.each([
  ["a value of the wrong type", "node: ed-1-1\nport: seven\n", /`port` must be integer, got "seven"/],
  ["YAML that cannot be parsed", "node: [ed\nport: 7\n", /at line 2, column 1/],
  ["a key that is there twice", "node: a\nnode: b\nport: 7\n", /unique at line 2/],
  ["an alias without its anchor", "node: *name\nport: 7\n", /alias.*name/i],
  ["an empty file", "", /must be object, got null/],
])("refuses %s and names the file", async (_, text, message) => {
  const file = await fileWith(text);
  await expect(readConfig(file, reader)).rejects.toMatchObject({
    name: "Failure",
    code: "config/invalid",
    message: expect.stringMatching(message),
  });
  await expect(readConfig(file, reader)).rejects.toThrow(file);
});

it("refuses a file that is not there and names it", async () => {
  const file = join(folder, "absent.yaml");
  await expect(readConfig(file, reader)).rejects.toMatchObject({ code: "config/invalid" });
  await expect(readConfig(file, reader)).rejects.toThrow(file);
});
