import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { Clock, unixNow } from "@offloadlab/hardware";
import { seconds } from "@offloadlab/units";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readTimedBody, type TimedBody } from "./timed-body.ts";

const limit = 100_000;
let server: Server;
let client: Socket;
/** What became of the request's body. */
let read: Promise<TimedBody>;
let request: IncomingMessage;

beforeEach(async () => {
  server = createServer();
  server.listen(0);
  await once(server, "listening");
  client = connect((server.address() as AddressInfo).port);
  client.on("error", () => {});
});
afterEach(async () => {
  client.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

/** Sends the head of a request and begins to read its body. */
const begin = async (head: string): Promise<void> => {
  client.write(`POST / HTTP/1.1\r\nhost: here\r\n${head}\r\n\r\n`);
  [request] = (await once(server, "request")) as [IncomingMessage];
  read = readTimedBody(request, limit);
  read.catch(() => {});
};

it("gives the whole body, up to the very limit", async () => {
  const body = Buffer.alloc(limit, "image ");
  await begin(`content-length: ${limit}`);
  client.write(body);
  expect((await read).body.equals(body)).toBe(true);
});

it("measures from the first byte to the last one, not from the head", async () => {
  const clock = new Clock(unixNow(), 1);
  await begin("content-length: 3");
  await clock.sleep(seconds(0.1));
  client.write("a");
  await once(request, "data");
  const first = performance.now();
  await clock.sleep(seconds(0.05));
  client.write("bc");
  const { body, milliseconds } = await read;
  expect(String(body)).toBe("abc");
  expect(milliseconds).toBeGreaterThanOrEqual(49);
  expect(milliseconds).toBeLessThanOrEqual(performance.now() - first + 5);
});

it("an empty body took no time", async () => {
  await begin("content-length: 0");
  expect(await read).toEqual({ body: Buffer.alloc(0), milliseconds: 0 });
});

it("refuses a body as soon as it is beyond the limit, before it has ended, whatever its head said", async () => {
  await begin("transfer-encoding: chunked");
  client.write(`${(limit + 1).toString(16)}\r\n`);
  client.write(Buffer.alloc(limit + 1));
  // Neither the chunk nor the body is ended: only the count can refuse it.
  await expect(read).rejects.toMatchObject({ name: "Failure", code: "wire/too-large" });
  await expect(read).rejects.toThrow(`${limit} bytes`);
});

it("lets the rest of a refused body pass, so that the answer can be sent on the connection", async () => {
  await begin(`content-length: ${50 * limit}`);
  client.write(Buffer.alloc(50 * limit));
  await expect(read).rejects.toMatchObject({ code: "wire/too-large" });
  await once(request, "end");
  expect(request.complete).toBe(true);
});

it.each([0, 1, 500])("a body that breaks off after %i bytes is a Failure", async (size) => {
  await begin("content-length: 1000");
  if (size > 0) {
    client.write(Buffer.alloc(size));
    await once(request, "data");
  }
  client.destroy();
  await expect(read).rejects.toMatchObject({ name: "Failure", code: "peer/unreachable" });
  await expect(read).rejects.toThrow(`after ${size} bytes`);
});
