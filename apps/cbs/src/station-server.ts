import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import {
  Failure,
  handshakeRefusal,
  maxFrameBytes,
  messageOf,
  parseJson,
  parseToStation,
  peerIdentity,
  protocolVersion,
  readRunOrder,
  requireRole,
  serverTls,
  type TlsMaterial,
} from "@offloadlab/protocol";
import { type FastifyInstance, fastify } from "fastify";
import { type WebSocket, WebSocketServer } from "ws";
import type { Conductor } from "./conductor.ts";
import { type FederationOf, federationRoutes } from "./federation-routes.ts";
import { remainingSeconds } from "./live-view.ts";
import type { Registry } from "./registry.ts";

const maxManifestBytes = 256 * 1024;
/** A manifest with the agents of its learned policies. */
const maxRunBytes = 256 << 20;

interface StationParts {
  readonly tls: TlsMaterial;
  readonly registry: Registry;
  readonly conductor: Conductor;
  readonly federationOf: FederationOf;
  readonly unixNow: () => number;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
}

/**
 * The C-BS's face to the lab, mutual TLS: `/link` for the daemons, `/api/v1/federation` for MECs, the rest of `/api/v1` for
 * operators.
 */
export const buildStationServer = ({ tls, registry, conductor, federationOf, unixNow, log }: StationParts) => {
  const app = fastify({ https: serverTls(tls), bodyLimit: maxManifestBytes, forceCloseConnections: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
  app.server.on("tlsClientError", (error) => log("warn", handshakeRefusal(error)));
  app.setErrorHandler(async (error, request, reply) => {
    const status = error instanceof Failure ? statusOf(error) : ((error as { statusCode?: number }).statusCode ?? 500);
    log(status >= 500 ? "error" : "warn", `${request.method} ${request.url}: ${messageOf(error)}`);
    const code = error instanceof Failure ? error.code : undefined;
    // The rest of a refused body is not worth reading.
    if (status === 413) void reply.header("connection", "close");
    return reply
      .code(status)
      .type("application/problem+json")
      .send({ type: "about:blank", status, title: messageOf(error), code });
  });
  void app.register(async (operators) => operatorRoutes(operators, conductor, registry, unixNow));
  void app.register(async (servers) => federationRoutes(servers, federationOf));
  void app.register(async (servers) => agentRoutes(servers, conductor));

  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxFrameBytes });
  app.server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    try {
      const peer = peerIdentity(socket as TLSSocket);
      if (request.url !== "/link") throw new Failure("peer/refused", `there is no ${request.url ?? ""} here`);
      requireRole(peer, ["mec", "ed"], "the link");
      sockets.handleUpgrade(request, socket, head, (connection) =>
        accept(connection, peer.id, peer.role, registry, log),
      );
    } catch (error) {
      log("warn", `refused a link: ${messageOf(error)}`);
      socket.on("error", () => undefined);
      socket.end(
        `HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n${messageOf(error)}\n`,
      );
    }
  });
  // Before the server waits for its connections to end: links do not end by themselves.
  app.addHook("preClose", async () => {
    for (const socket of sockets.clients) socket.terminate();
  });
  return app;
};

const operatorRoutes = (
  app: FastifyInstance,
  conductor: Conductor,
  registry: Registry,
  unixNow: () => number,
): void => {
  app.addHook("onRequest", async (request) => {
    requireRole(peerIdentity(request.raw.socket as TLSSocket), ["operator"], `${request.method} ${request.url}`);
  });
  // A manifest, or one with the agents that it needs.
  app.post("/api/v1/runs", { bodyLimit: maxRunBytes }, async (request, reply) => {
    const body = String(request.body ?? "");
    const isJson = request.headers["content-type"]?.startsWith("application/json") === true;
    const { manifest, agents } = isJson ? readRunOrder(parseJson(body, "run"), "run") : { manifest: body, agents: {} };
    const files = Object.entries(agents).map(([name, text]) => [name, Buffer.from(text, "base64")] as const);
    const progress = await conductor.begin(manifest, new Map(files));
    return reply.code(201).send({ id: progress.id, folder: progress.folder });
  });
  app.get("/api/v1/runs/:id", async (request) => {
    const { id } = request.params as { id: string };
    const progress = id === "current" ? conductor.progress : await conductor.find(id);
    if (progress === undefined && id !== "current") throw new Failure("peer/refused", `there is no run ${id}`);
    return {
      run: progress === undefined ? null : { ...progress, remainingSeconds: remainingSeconds(progress, unixNow()) },
    };
  });
  app.post("/api/v1/runs/current/stop", async () => {
    void conductor.stop("stopped by an operator");
    return { stopping: true };
  });
  app.get("/api/v1/nodes", async () => ({
    nodes: registry.nodes.map(({ id, role, online, hardware }) => ({ id, role, online, hardware })),
  }));
};

/** Servers fetch the agents that were sent along with a run. */
const agentRoutes = (app: FastifyInstance, conductor: Conductor): void => {
  app.get("/api/v1/runs/:id/policies/:policy", async (request, reply) => {
    requireRole(peerIdentity(request.raw.socket as TLSSocket), ["mec"], "the agents of a run");
    const { id, policy } = request.params as { id: string; policy: string };
    return reply.type("application/octet-stream").send(await conductor.agentsOf(id, policy));
  });
};

/** A node's connection: its first frame is a hello that says what its certificate says. */
const accept = (
  socket: WebSocket,
  id: string,
  role: string,
  registry: Registry,
  log: (level: "info" | "warn" | "error", message: string) => void,
): void => {
  let joined = false;
  socket.on("error", (error) => log("warn", `link of ${id}: ${error.message}`));
  socket.on("message", (data) => {
    try {
      const message = parseToStation(String(data));
      if (message.type !== "hello") {
        if (!joined) throw new Failure("wire/malformed", "expected a hello first");
        registry.receive(id, message);
        return;
      }
      if (message.version !== protocolVersion) {
        throw new Failure(
          "wire/version",
          `expected protocol version ${protocolVersion}, got ${message.version}; deploy the same release everywhere`,
        );
      }
      if (message.node !== id || message.role !== role) {
        throw new Failure(
          "peer/forbidden",
          `expected a hello of ${id} (${role}) as in its certificate, got ${message.node} (${message.role})`,
        );
      }
      joined = true;
      registry.join(message, socket);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      log("warn", `closed the link of ${id}: ${error.message}`);
      socket.close(1008, closeReason(error.message));
    }
  });
};

/** A close frame has room for 123 bytes (RFC 6455, section 5.5). */
const closeReason = (text: string): string =>
  Buffer.from(text)
    .subarray(0, 120)
    .toString("utf8")
    .replace(/\uFFFD$/, "");

const statusOf = ({ code }: Failure): number => {
  switch (code) {
    case "peer/forbidden":
      return 403;
    case "peer/refused":
    case "update/stale":
    case "update/late":
      return 409;
    case "wire/too-large":
      return 413;
    case "update/shape":
    case "update/not-finite":
      return 422;
    default:
      return 400;
  }
};
