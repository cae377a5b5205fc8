import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { presets } from "@offloadlab/model";
import type { Manifest } from "@offloadlab/records";
import fc from "fast-check";
import { afterEach, beforeEach, expect, it } from "vitest";
import { RunFolder } from "./run-folder.ts";

let path = "";
let folder: RunFolder;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "run-"));
  await RunFolder.create(path, "name: x\n", { settings: presets.testbed } as Manifest, []);
  folder = new RunFolder(path);
});
afterEach(async () => {
  await folder.close();
  await rm(path, { recursive: true });
});

const journal = (node: string, offset: number, text: string) => ({ node, file: "journal" as const, offset, text });

it("appends a piece that follows what is here, and answers with the size in bytes", async () => {
  expect(await folder.append(journal("ed-1-1", 0, "é\n"))).toBe(3);
  expect(await folder.append(journal("ed-1-1", 3, "b\n"))).toBe(5);
  expect(await readFile(join(path, "journals/ed-1-1.ndjson"), "utf8")).toBe("é\nb\n");
});

it("leaves out a piece that is here already or beyond a gap, and says where to go on", async () => {
  await folder.append(journal("ed-1-1", 0, "abc\n"));
  for (const offset of [0, 3, 5, 100]) expect(await folder.append(journal("ed-1-1", offset, "xyz\n"))).toBe(4);
  expect(await readFile(join(path, "journals/ed-1-1.ndjson"), "utf8")).toBe("abc\n");
});

it("takes pieces in any order and any number of times, until the file is whole", async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.string({ minLength: 1, maxLength: 20 }).map((text) => `${text}\n`),
        { minLength: 1, maxLength: 8 },
      ),
      fc.array(fc.nat(), { maxLength: 20 }),
      async (texts, order) => {
        run += 1;
        const node = `ed-1-${run}`;
        let offset = 0;
        const pieces = texts.map((text) => {
          const piece = journal(node, offset, text);
          offset += Buffer.byteLength(text);
          return piece;
        });
        const shuffled = order.map((index) => pieces[index % pieces.length] as (typeof pieces)[number]);
        const sizes = await Promise.all([...shuffled, ...pieces].map((piece) => folder.append(piece)));
        expect(sizes.at(-1)).toBe(offset);
        expect(await readFile(join(path, `journals/${node}.ndjson`), "utf8")).toBe(texts.join(""));
      },
    ),
    { numRuns: 15 },
  );
});

it("knows after a restart what it had, for the journal and the log apart", async () => {
  await folder.append(journal("mec-1", 0, "abc\n"));
  await folder.append({ node: "mec-1", file: "log", offset: 0, text: "log\n\n" });
  await folder.close();
  folder = new RunFolder(path);
  expect([
    await folder.size("mec-1", "journal"),
    await folder.size("mec-1", "log"),
    await folder.size("mec-2", "log"),
  ]).toEqual([4, 5, 0]);
  expect(await folder.append(journal("mec-1", 4, "d\n"))).toBe(6);
});

it("keeps the last process of a node, however many come while one is being written", async () => {
  const boots = ["first", "second", "third"];
  await Promise.all(boots.map((boot) => folder.writeEnvironment("mec-1", { boot })));
  expect(await folder.boots(["mec-1", "mec-2"])).toEqual(new Map([["mec-1", "third"]]));
});
