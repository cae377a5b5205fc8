import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LiveSnapshot } from "@offloadlab/protocol";
import { Registry } from "prom-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { buildDashboardServer } from "./dashboard-server.ts";

const snapshot: LiveSnapshot = { run: null, communities: [], results: [], federations: [], learning: [], answers: [] };
let folder: string;
let server: ReturnType<typeof buildDashboardServer>;
let url: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "dashboard-"));
  writeFileSync(join(folder, "index.html"), "<title>page</title>");
  server = buildDashboardServer(
    folder,
    () => snapshot,
    new Registry(),
    async (task, trial = 1) => (task === "ed-1-1-0" ? { task, trial, trials: [1, 2], events: [] } : `no ${task}`),
  );
  await server.listen({ host: "127.0.0.1", port: 0 });
  url = `127.0.0.1:${(server.server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const open = (headers: Record<string, string>): WebSocket => new WebSocket(`ws://${url}/live`, { headers });

const firstMessage = async (socket: WebSocket): Promise<unknown> => {
  const [data] = (await once(socket, "message")) as [Buffer];
  socket.terminate();
  return JSON.parse(String(data));
};

test("its own page, and a program without an origin, are sent the snapshot", async () => {
  expect(await firstMessage(open({ origin: `http://${url}` }))).toEqual(snapshot);
  expect(await firstMessage(open({}))).toEqual(snapshot);
});

test.each([
  ["a page of another site", { origin: "http://evil.example" }],
  ["a page without an origin of its own", { origin: "null" }],
  ["a page whose name leads to this machine", { origin: "http://evil.example", host: "evil.example" }],
])("%s is refused, and the server lives on", async (_, headers) => {
  const [error] = (await once(open(headers), "error")) as [Error];
  expect(error.message).toContain("403");
  expect(await (await fetch(`http://${url}/`)).text()).toContain("page");
});

test("answers for a task, says why it cannot, and answers no page under another name", async () => {
  const ask = async (query: string, headers: Record<string, string> = {}): Promise<[number, unknown]> => {
    const { status, body } = await server
      .inject({ url: `/trace?${query}`, headers: { host: url, ...headers } })
      .then(({ statusCode, body: text }) => ({ status: statusCode, body: JSON.parse(text) as unknown }));
    return [status, body];
  };
  expect(await ask("task=ed-1-1-0&trial=2")).toEqual([200, { task: "ed-1-1-0", trial: 2, trials: [1, 2], events: [] }]);
  expect(await ask("task=ed-9")).toEqual([200, { detail: "no ed-9" }]);
  expect((await ask("task=ed-1-1-0", { host: "evil.example" }))[0]).toBe(403);
});

test("a frame that is too large ends that connection alone", async () => {
  const socket = open({});
  await once(socket, "message");
  socket.send("x".repeat(5000));
  await once(socket, "close");
  expect(await firstMessage(open({}))).toEqual(snapshot);
});
