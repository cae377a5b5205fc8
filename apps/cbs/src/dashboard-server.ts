import { fastifyStatic } from "@fastify/static";
import type { LiveSnapshot } from "@offloadlab/protocol";
import { fastify } from "fastify";
import type { Registry as MetricsRegistry } from "prom-client";
import { WebSocketServer } from "ws";

const pushMilliseconds = 500;

/** The page for browsers on this machine: read only, plain HTTP on the loopback, with `/live` and `/metrics`. */
export const buildDashboardServer = (folder: string, snapshot: () => LiveSnapshot, metrics: MetricsRegistry) => {
  const app = fastify({ forceCloseConnections: true });
  void app.register(fastifyStatic, { root: folder });
  app.get("/metrics", async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()));
  app.get("/health/live", async () => ({ live: true }));
  app.get("/health/ready", async () => ({ ready: true }));

  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024 });
  app.server.on("upgrade", (request, socket, head) => {
    // A page of another site must not read the lab through a visitor's browser.
    const { origin, host } = request.headers;
    if (request.url !== "/live" || (origin !== undefined && new URL(origin).host !== host)) {
      socket.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (connection) => connection.send(JSON.stringify(snapshot())));
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
