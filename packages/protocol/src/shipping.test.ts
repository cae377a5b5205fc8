import { EventEmitter, once } from "node:events";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { randomStream } from "@offloadlab/model";
import { LineWriter } from "@offloadlab/records";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { createAuthority, issueIdentity } from "./identity.ts";
import { Link } from "./link.ts";
import { parseToStation, protocolVersion, type ToNode, type ToStation } from "./link-messages.ts";
import { Shipping } from "./shipping.ts";
import { TestStation } from "./station.test-helper.ts";
import { readTlsMaterial, type TlsMaterial } from "./tls.ts";

type Append = ToStation & { type: "append" };

const hello: ToStation = {
  type: "hello",
  version: protocolVersion,
  node: "ed-1-1",
  role: "ed",
  boot: "first",
  hardware: "emulated",
  environment: {},
};

let folder = "";
let stationTls: TlsMaterial;
let nodeTls: TlsMaterial;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "shipping-"));
  const authority = await createAuthority();
  const issued = async (id: string, role: "cbs" | "ed") =>
    readTlsMaterial(await issueIdentity(authority, { id, role }, ["localhost"], join(folder, id)));
  stationTls = await issued("cbs", "cbs");
  nodeTls = await issued("ed-1-1", "ed");
});
afterAll(() => rm(folder, { recursive: true }));

/** The C-BS's side, as its run folder is: appends at its size alone, answers with its size, one piece after the other. */
class Receiver extends EventEmitter<{ size: [number]; piece: [Append] }> {
  readonly chunks: Buffer[] = [];
  readonly pieces: Append[] = [];
  size = 0;
  socket: WebSocket | undefined;
  #appending: Promise<void> = Promise.resolve();

  readonly accept = (socket: WebSocket): void => {
    socket.on("error", () => {});
    socket.on("message", (data) => {
      const message = parseToStation(String(data));
      if (message.type === "hello") {
        this.socket = socket;
        this.send({ type: "open", run: "r", journalBytes: this.size, logBytes: 0 });
      }
      if (message.type === "append") {
        this.pieces.push(message);
        this.emit("piece", message);
        this.#appending = this.#appending.then(() => this.append(message));
      }
    });
  };

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** Answers go to the node's newest connection, whichever one the piece came on. */
  send(message: ToNode): void {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(message));
  }

  protected async append({ offset, text }: Append): Promise<void> {
    if (offset === this.size) {
      const bytes = Buffer.from(text);
      // The disk takes its time.
      await turn();
      this.chunks.push(bytes);
      this.size += bytes.length;
    }
    this.send({ type: "have", run: "r", file: "journal", offset: this.size });
    this.emit("size", this.size);
  }
}

interface Ship {
  readonly link: Link;
  readonly shipping: Shipping;
  readonly station: TestStation;
  close(): Promise<void>;
}

/** A node that ships one file, handling the C-BS's messages as the daemons do. */
const shipTo = async (receiver: Receiver, path: string): Promise<Ship> => {
  const station = new TestStation(stationTls, receiver.accept);
  await station.open();
  const link = new Link(station.url, nodeTls, () => hello);
  const shipping = new Shipping(link, "r", "journal", path);
  link.on("message", (message) => {
    if (message.type === "open") shipping.have(message.journalBytes, true);
    if (message.type === "have") shipping.have(message.offset, false);
  });
  const running = link.run();
  return {
    link,
    shipping,
    station,
    close: async () => {
      link.close();
      await running;
      await shipping.close();
      await station.close();
    },
  };
};

const received = async (receiver: Receiver, size: number): Promise<void> => {
  while (receiver.size < size) await once(receiver, "size");
};

const lineOf = (index: number, width: number): string => JSON.stringify({ index, text: "é—✓ ".repeat(width) });

it.each([1, 2, 3, 4, 5])(
  "a growing file arrives whole over a connection that is killed at random places (%i)",
  async (seed) => {
    const random = randomStream(seed, "shipping");
    const path = join(folder, `growing-${seed}.ndjson`);
    const receiver = new Receiver();
    await writeFile(path, "");
    const ship = await shipTo(receiver, path);
    const writer = await LineWriter.open(path, () => void ship.shipping.ship());
    let cuts = 0;
    let cutAt = random.integer(200_000);
    receiver.on("piece", ({ offset }) => {
      if (offset < cutAt || cuts === 6) return;
      cuts += 1;
      cutAt = offset + random.integer(400_000);
      if (random.uniform() < 0.5) ship.station.cut();
      else receiver.socket?.close(1001, "the C-BS stops");
    });
    for (let index = 0; index < 1500; index += 1) {
      writer.append(lineOf(index, 1 + random.integer(200)));
      if (random.uniform() < 0.1) await writer.flush();
    }
    await writer.close();
    const file = await readFile(path);
    await received(receiver, file.length);
    await ship.close();
    expect(receiver.bytes.equals(file)).toBe(true);
    expect(ship.shipping.acknowledged).toBeLessThanOrEqual(file.length);
    expect(cuts).toBeGreaterThanOrEqual(3);
  },
);

it("a file arrives whole when the station is away for a while and comes back with a part of it", async () => {
  const path = join(folder, "restart.ndjson");
  const receiver = new Receiver();
  await writeFile(path, "");
  const ship = await shipTo(receiver, path);
  const writer = await LineWriter.open(path, () => void ship.shipping.ship());
  for (let round = 0; round < 3; round += 1) {
    for (let index = 0; index < 2000; index += 1) writer.append(lineOf(index, 20));
    await writer.flush();
    const closed = ship.station.close();
    for (let index = 0; index < 100; index += 1) writer.append(lineOf(index, 5));
    await writer.flush();
    await closed;
    await ship.station.open();
  }
  await writer.close();
  const file = await readFile(path);
  await received(receiver, file.length);
  await ship.close();
  expect(receiver.bytes.equals(file)).toBe(true);
});

it("an answer to where to go on from is obeyed also when it comes while the file is being read", async () => {
  const path = join(folder, "reading.ndjson");
  const receiver = new Receiver();
  const file = await open(path, "w");
  await file.appendFile("first line\n");
  const ship = await shipTo(receiver, path);
  while (ship.shipping.acknowledged < 11) await once(ship.link, "message");
  await file.appendFile("second line\n");
  // The reading begins at 11; before it ends, the C-BS wants all of it again.
  void ship.shipping.ship();
  ship.shipping.have(0, true);
  while (receiver.pieces.filter(({ offset }) => offset === 0).length < 2) await once(receiver, "piece");
  expect(receiver.pieces.filter(({ offset }) => offset === 0).map(({ text }) => text)).toEqual([
    "first line\n",
    "first line\nsecond line\n",
  ]);
  await file.close();
  await ship.close();
});

it("a piece that a dying connection still brought does not stop the file", async () => {
  const path = join(folder, "late-piece.ndjson");
  /** Its disk is slow once: what the old connection brought is appended after the new one was told the size. */
  class SlowReceiver extends Receiver {
    protected override async append(piece: Append): Promise<void> {
      if (this.pieces.length === 1) {
        const before = this.socket;
        while (this.socket === before) await turn();
      }
      await super.append(piece);
    }
  }
  const receiver = new SlowReceiver();
  await writeFile(path, "");
  const ship = await shipTo(receiver, path);
  const writer = await LineWriter.open(path, () => void ship.shipping.ship());
  writer.append(lineOf(0, 3));
  await once(receiver, "piece");
  // More lines than the first piece had, so that the second one does not end where the first did.
  for (let index = 1; index < 10; index += 1) writer.append(lineOf(index, 3));
  await writer.close();
  ship.station.cut();
  const file = await readFile(path);
  await received(receiver, file.length);
  await ship.close();
  expect(receiver.bytes.equals(file)).toBe(true);
});

it("a line that is not complete is not shipped until it is", async () => {
  const path = join(folder, "torn.ndjson");
  const receiver = new Receiver();
  const file = await open(path, "w");
  await file.appendFile("whole\nto");
  const ship = await shipTo(receiver, path);
  await received(receiver, 6);
  await ship.shipping.ship();
  expect(String(receiver.bytes)).toBe("whole\n");
  await file.appendFile("rn\n");
  await ship.shipping.ship();
  await received(receiver, 11);
  expect(String(receiver.bytes)).toBe("whole\ntorn\n");
  await file.close();
  await ship.close();
});

it("closing while the file is being read sends nothing more", async () => {
  const path = join(folder, "closing.ndjson");
  const receiver = new Receiver();
  const file = await open(path, "w");
  await file.appendFile("first\n");
  const ship = await shipTo(receiver, path);
  await received(receiver, 6);
  await file.appendFile("second\n");
  const shipped = ship.shipping.ship();
  await ship.shipping.close();
  await shipped;
  // What is sent after this arrives after it.
  ship.link.send({ type: "append", run: "r", file: "journal", offset: 6, text: "last\n" });
  await received(receiver, 11);
  expect(String(receiver.bytes)).toBe("first\nlast\n");
  await file.close();
  await ship.close();
});
