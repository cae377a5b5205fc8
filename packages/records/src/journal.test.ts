import { mkdtemp, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Journal, LineWriter, parseJournal, readJournal } from "./journal.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "journal-"));
});
afterAll(() => rm(folder, { recursive: true }));

const line = fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\n", " "));

describe("a line writer", () => {
  it("appends lines in the order in which they came, also over flushes and reopenings", async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(line), { maxLength: 4 }), async (sessions) => {
        runs += 1;
        const path = join(folder, `order-${runs}`);
        for (const lines of sessions) {
          const writer = await LineWriter.open(path);
          for (const [index, text] of lines.entries()) {
            writer.append(text);
            if (index % 3 === 2) await writer.flush();
          }
          await writer.close();
        }
        const written = await readFile(path, "utf8").catch(() => "");
        expect(written).toBe(
          sessions
            .flat()
            .map((text) => `${text}\n`)
            .join(""),
        );
      }),
      { numRuns: 30 },
    );
  });

  it("syncs the lines of one turn together and tells of them when they are in the file", async () => {
    const path = join(folder, "batches");
    const sizes: Promise<number>[] = [];
    const writer = await LineWriter.open(path, () => sizes.push(stat(path).then(({ size }) => size)));
    for (let index = 0; index < 100; index += 1) writer.append("12345678 ");
    await writer.flush();
    expect(await Promise.all(sizes)).toEqual([1000]);
    writer.append("x");
    await writer.flush();
    expect(await Promise.all(sizes)).toEqual([1000, 1002]);
    expect(await writer.size()).toBe(1002);
    await writer.close();
  });

  it("writes lines that come from its own callback before flush resolves", async () => {
    const path = join(folder, "reentrant");
    let left = 3;
    const writer = await LineWriter.open(path, () => {
      left -= 1;
      if (left > 0) writer.append(`again ${left}`);
    });
    writer.append("first");
    await writer.flush();
    expect(await readFile(path, "utf8")).toBe("first\nagain 2\nagain 1\n");
    await writer.close();
  });

  it("cuts off a torn last line on reopening, wherever a crash tore it", async () => {
    const path = join(folder, "torn");
    const whole = Buffer.from('{"a":1}\n\n{"b":"é✓"}\n{"c":[1,2]}\nx\n');
    for (let length = 0; length <= whole.length; length += 1) {
      const torn = whole.subarray(0, length);
      await writeFile(path, torn);
      const writer = await LineWriter.open(path);
      const kept = torn.subarray(0, torn.lastIndexOf("\n") + 1);
      expect((await readFile(path)).equals(kept)).toBe(true);
      expect(await writer.size()).toBe(kept.length);
      writer.append("next");
      await writer.close();
      expect((await readFile(path)).equals(Buffer.concat([kept, Buffer.from("next\n")]))).toBe(true);
    }
  });

  it("keeps every complete line of any file, cut at any byte", async () => {
    const path = join(folder, "any");
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 6 }), fc.nat(), async (lines, cut) => {
        const whole = Buffer.from(lines.map((text) => `${text}\n`).join(""));
        const length = cut % (whole.length + 1);
        await writeFile(path, whole.subarray(0, length));
        await (await LineWriter.open(path)).close();
        let end = 0;
        const complete = lines.filter((text) => {
          end += Buffer.byteLength(text) + 1;
          return end <= length;
        });
        expect(await readFile(path, "utf8")).toBe(complete.map((text) => `${text}\n`).join(""));
      }),
    );
  });
});

describe("a line writer that cannot write", () => {
  it("ignores lines that come after close, also while it closes", async () => {
    const path = join(folder, "closed");
    const writer = await LineWriter.open(path);
    writer.append("first");
    const closed = writer.close();
    writer.append("second");
    await closed;
    writer.append("third");
    await writer.flush();
    await writer.close();
    expect(await readFile(path, "utf8")).toBe("first\n");
  });

  it("keeps an error that nobody waits for, tells of it at the next flush and close, and closes its file", async () => {
    const file = await open("/dev/full", "a");
    let synced = 0;
    // `open` would read /dev/full, which has no end.
    const writer = Reflect.construct(LineWriter, [file, () => (synced += 1)]) as LineWriter;
    writer.append("first");
    await sleep(300);
    writer.append("second");
    await expect(writer.flush()).rejects.toMatchObject({ code: "ENOSPC" });
    await expect(writer.close()).rejects.toMatchObject({ code: "ENOSPC" });
    expect([file.fd, synced]).toEqual([-1, 0]);
  });
});

describe("a journal", () => {
  it("stamps every record with its clock, first", async () => {
    const path = join(folder, "stamped");
    let now = 1_700_000_000;
    const journal = new Journal(await LineWriter.open(path), () => {
      now += 0.25;
      return now;
    });
    journal.write({ kind: "trial-end", trial: 1 });
    journal.write({ kind: "lost", trial: 1, task: "ed-1-1-0" });
    await journal.flush();
    expect(await journal.size()).toBe((await stat(path)).size);
    await journal.close();
    expect(await readFile(path, "utf8")).toBe(
      '{"time":1700000000.25,"kind":"trial-end","trial":1}\n{"time":1700000000.5,"kind":"lost","trial":1,"task":"ed-1-1-0"}\n',
    );
  });

  it("rounds every number to 1e-9, and no further", async () => {
    const path = join(folder, "rounded");
    const values = [0.1 + 0.2, 1 / 3, 1e-9, 4e-10, 6e-10, -1 / 3, 12_345.678_912_345_6, 2 ** 53, 1e300];
    const journal = new Journal(await LineWriter.open(path), () => 1);
    for (const energy of values) {
      journal.write({
        kind: "battery",
        trial: 1,
        subSlot: 0,
        chargeJoules: energy,
        drainedJoules: 0,
        harvestedJoules: 0,
        method: "emulated",
      });
    }
    await journal.close();
    const read = (await readJournal(path)).map((record) => (record.kind === "battery" ? record.chargeJoules : null));
    expect(read).toEqual([0.3, 0.333333333, 1e-9, 0, 1e-9, -0.333333333, 12_345.678_912_346, 2 ** 53, 1e300]);
  });

  it("is off by at most half of 1e-9 in any number of its range", async () => {
    const path = join(folder, "range");
    const values = fc.sample(fc.double({ min: -1e6, max: 1e6, noNaN: true }), 500);
    const journal = new Journal(await LineWriter.open(path), () => 1);
    for (const startsAtUnixSeconds of values)
      journal.write({ kind: "trial", trial: 1, policy: "local", seed: 1, startsAtUnixSeconds });
    await journal.close();
    const read = await readJournal(path);
    expect(read).toHaveLength(values.length);
    for (const [index, record] of read.entries()) {
      const error = record.kind === "trial" ? record.startsAtUnixSeconds - (values[index] as number) : Number.NaN;
      expect(Math.abs(error)).toBeLessThanOrEqual(0.5e-9 + 1.2e-10);
    }
  });

  it("is read without its torn last line, and refused when a line before it is damaged", async () => {
    const path = join(folder, "damaged");
    const file = await open(path, "w");
    await file.appendFile('{"time":1,"kind":"trial-end","trial":1}\n{"time":2,"ki');
    expect(await readJournal(path)).toEqual([{ time: 1, kind: "trial-end", trial: 1 }]);
    await file.appendFile("\n");
    await file.close();
    await expect(readJournal(path)).rejects.toThrow(SyntaxError);
    await expect(readJournal(path)).rejects.toThrow(`${path}: line 2`);
    expect(parseJournal("")).toEqual([]);
    expect(parseJournal("{")).toEqual([]);
  });
});
