import { Readable } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Classifier } from "@offloadlab/classifier";
import {
  Failure,
  type FailureCode,
  handshakeRefusal,
  headerLengthName,
  type Identity,
  maxFrameBytes,
  messageOf,
  parseJson,
  peerIdentity,
  readOffloadRequest,
  requireRole,
  serverTls,
  type TlsMaterial,
} from "@offloadlab/protocol";
import { type FastifyReply, type FastifyRequest, fastify } from "fastify";
import type { InferenceService } from "./inference-service.ts";
import type { ServerMetrics } from "./metrics.ts";

const statusOf: Readonly<Record<FailureCode, number>> = {
  "config/invalid": 500,
  "wire/malformed": 400,
  "wire/version": 400,
  "wire/too-large": 413,
  "peer/unreachable": 400,
  "peer/slow": 503,
  "peer/forbidden": 403,
  "peer/refused": 409,
  "update/stale": 409,
  "update/late": 409,
  "update/digest": 400,
  "update/shape": 422,
  "update/not-finite": 422,
  "image/unreadable": 400,
  "classifier/unloadable": 503,
  "sensor/absent": 503,
  "sensor/unreadable": 503,
  "sensor/implausible": 503,
  "archive/damaged": 500,
  "trial/failed": 500,
};

export interface ServerParts {
  readonly tls: TlsMaterial;
  readonly classifier: Classifier;
  readonly inference: InferenceService;
  readonly metrics: ServerMetrics;
  /** Answers a device's offload request. @param handed settles when the answer has been handed to its socket */
  readonly offload: (
    device: string,
    request: ReturnType<typeof readOffloadRequest>,
    handed: Promise<unknown>,
  ) => Promise<unknown>;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
}

/**
 * A MEC's HTTP face: the Open Inference Protocol under `/v2`, offload requests under `/api/v1`, `/metrics`. Mutual TLS.
 */
export const buildServer = ({ tls, classifier, inference, metrics, offload, log }: ServerParts) => {
  const app = fastify({ https: serverTls(tls), keepAliveTimeout: 120_000, forceCloseConnections: true });
  const { card } = classifier;

  // Bodies stay streams: uploads are timed and counted as they come.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
  app.server.on("tlsClientError", (error) => log("warn", handshakeRefusal(error)));

  app.setErrorHandler(async (error, request, reply) => {
    const code = error instanceof Failure ? error.code : undefined;
    const status = code === undefined ? ((error as { statusCode?: number }).statusCode ?? 500) : statusOf[code];
    metrics.refusals.inc({ code: code ?? "internal" });
    log(status >= 500 && status !== 503 ? "error" : "warn", `${request.method} ${request.url}: ${messageOf(error)}`);
    if (status === 503) void reply.header("retry-after", "5");
    return refuse(request, reply, status, messageOf(error));
  });
  app.setNotFoundHandler(async (request, reply) =>
    refuse(request, reply, 404, `${request.method} ${request.url} is not served here`),
  );

  app.get("/v2", async () => ({ name: "offloadlab-mec", version: "0.1.0", extensions: ["binary_tensor_data"] }));
  app.get("/v2/health/live", async () => ({ live: true }));
  app.get("/v2/health/ready", async (_request, reply) => {
    const ready = await classifier.ready();
    return reply.code(ready ? 200 : 503).send({ ready });
  });
  for (const path of ["/v2/models/:model", "/v2/models/:model/versions/:version"]) {
    app.get(path, async (request) => {
      requireModel(request);
      const { layout, width, height } = card.input;
      const sample = layout === "nchw" ? [3, height, width] : [height, width, 3];
      return {
        name: card.name,
        versions: ["1"],
        platform: "onnx_onnxv1",
        inputs: [{ name: "image", datatype: "BYTES", shape: [-1] }],
        outputs: [
          { name: "label", datatype: "BYTES", shape: [-1] },
          { name: "probabilities", datatype: "FP32", shape: [-1, card.labels.length] },
        ],
        parameters: {
          tensor_input: card.input.name,
          tensor_shape: [-1, ...sample].join("x"),
          sha256: classifier.sha256,
        },
      };
    });
    app.get(`${path}/ready`, async (request, reply) => {
      requireModel(request);
      const ready = await classifier.ready();
      return reply.code(ready ? 200 : 503).send({ name: card.name, ready });
    });
    app.post(`${path}/infer`, async (request, reply) => {
      const peer = identityOf(request);
      requireRole(peer, ["ed", "operator"], "inference");
      requireModel(request);
      const length = request.headers[headerLengthName];
      const headerLength = length === undefined ? undefined : Number(length);
      const { body, headerLength: answerLength } = await inference.infer({
        peer,
        // A request without a body has no stream.
        body: (request.body as Readable | null | undefined) ?? Readable.from([]),
        headerLength,
      });
      if (answerLength === undefined) return reply.type("application/json").send(body);
      return reply.header(headerLengthName, answerLength).type("application/octet-stream").send(body);
    });
  }
  app.post("/api/v1/offload-requests", async (request, reply) => {
    const peer = identityOf(request);
    requireRole(peer, ["ed"], "an offload request");
    const text = await readText(request.body as Readable);
    const offloadRequest = readOffloadRequest(parseJson(text, "offload request"), "offload request");
    let handOver = (): void => {};
    const handed = new Promise<void>((resolve) => {
      handOver = resolve;
    });
    try {
      const answer = (await offload(peer.id, offloadRequest, handed)) as { decision: string };
      metrics.decisions.inc({ decision: answer.decision });
      // Past Fastify, which would tell only turns of the event loop later: some hundred bytes on a connection that has nothing
      // else to send are with the kernel when `end` returns.
      reply.hijack();
      const bytes = Buffer.from(JSON.stringify(answer));
      reply.raw.writeHead(200, { "content-type": "application/json", "content-length": bytes.length }).end(bytes);
      return reply;
    } finally {
      // Also when there is no answer, or nobody to take it.
      handOver();
    }
  });
  app.get("/metrics", async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.registry.metrics()),
  );

  const requireModel = (request: FastifyRequest): void => {
    const { model, version } = request.params as { model: string; version?: string };
    if (model !== card.name || (version !== undefined && version !== "1")) {
      throw Object.assign(
        new RangeError(
          `there is no model ${model}${version === undefined ? "" : ` version ${version}`}, only ${card.name}`,
        ),
        { statusCode: 404 },
      );
    }
  };
  return app;
};

const identityOf = (request: FastifyRequest): Identity => peerIdentity(request.raw.socket as TLSSocket);

/** `{"error"}` where the Open Inference Protocol wants it, else a problem document (RFC 9457). */
const refuse = (request: FastifyRequest, reply: FastifyReply, status: number, detail: string): FastifyReply => {
  // The rest of a refused body is not worth reading.
  if (status === 413) void reply.header("connection", "close");
  return request.url.startsWith("/v2")
    ? reply.code(status).type("application/json").send({ error: detail })
    : reply.code(status).type("application/problem+json").send({ type: "about:blank", status, title: detail });
};

const readText = async (body: Readable | undefined): Promise<string> => {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body ?? []) {
    size += (piece as Buffer).length;
    if (size > maxFrameBytes) throw new Failure("wire/too-large", `expected at most ${maxFrameBytes} bytes of JSON`);
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces).toString("utf8");
};
