import { fastifyStatic } from "@fastify/static";
import type { LiveSnapshot, LiveTrace } from "@offloadlab/protocol";
import { fastify } from "fastify";
import type { Registry as MetricsRegistry } from "prom-client";
import { WebSocketServer } from "ws";

const pushMilliseconds = 500;

/**
 * Whether a WebSocket is asked for by this server's own page, or by a program without an origin: a page of another site
 * must not read the lab through a visitor's browser, nor under a name of its own that leads to this machine.
 */
export const isOwnPage = (origin: string | undefined, host: string | undefined): boolean => {
  if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host ?? "")) return false;
  return origin === undefined || origin === `http://${host}`;
};

/**
 * The page for browsers on this machine: read only, plain HTTP on the loopback, with `/live`, `/trace` and `/metrics`.
 *
 * @param trace a task's timeline, or why there is none
 */
export const buildDashboardServer = (
  folder: string,
  snapshot: () => LiveSnapshot,
  metrics: MetricsRegistry,
  trace: (task: string, trial?: number) => Promise<LiveTrace | string>,
) => {
  const app = fastify({ forceCloseConnections: true });
  void app.register(fastifyStatic, { root: folder });
  app.get("/metrics", async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
  app.get("/trace", async (request, reply) => {
    if (!isOwnPage(request.headers.origin, request.headers.host)) return reply.code(403).send({ detail: "forbidden" });
    const { task = "", trial } = request.query as { readonly task?: string; readonly trial?: string };
    const found = await trace(String(task), trial === undefined ? undefined : Number(trial));
    return typeof found === "string" ? { detail: found } : found;
  });
  app.get("/health/live", async () => ({ live: true }));
  app.get("/health/ready", async () => ({ ready: true }));

  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024 });
  app.server.on("upgrade", (request, socket, head) => {
    // A browser that leaves in the midst of the handshake, or breaks the rules after it, is not our failure.
    socket.on("error", () => socket.destroy());
    const { origin, host } = request.headers;
    if (request.url !== "/live" || !isOwnPage(origin, host)) {
      socket.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (connection) => {
      connection.on("error", () => connection.terminate());
      connection.send(JSON.stringify(snapshot()));
    });
  });
  // biome-ignore lint/style/noRestrictedGlobals: pushes in real time without awaiting anything
  const timer = setInterval(() => {
    if (sockets.clients.size === 0) return;
    const text = JSON.stringify(snapshot());
    for (const socket of sockets.clients) if (socket.bufferedAmount === 0) socket.send(text);
  }, pushMilliseconds);
  app.addHook("onClose", async () => {
    clearInterval(timer);
    for (const socket of sockets.clients) socket.terminate();
  });
  return app;
};
