import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import type { TLSSocket } from "node:tls";
import {
  Failure,
  type FederationStatus,
  federationPath,
  type Identity,
  largestWeights,
  messageOf,
  peerIdentity,
  requireRole,
  timeLimit,
} from "@offloadlab/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Federation } from "./federation.ts";

/** How long a server that asks for news is kept waiting, real time. */
const newsMilliseconds = 10_000;
/** Where nothing is federated, a server asks again after this real time. */
const idleMilliseconds = 1_000;

const noFederation: FederationStatus = { token: "none", federation: null };

/** A policy's federation in the current run, if it has one. */
export type FederationOf = (policy: string) => Federation | undefined;

/** What servers say and are told of rounds; only a MEC may. */
export const federationRoutes = (app: FastifyInstance, federationOf: FederationOf): void => {
  // Weights stay a stream: they are counted as they come.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));

  const memberOf = (request: FastifyRequest): Identity => {
    const identity = peerIdentity(request.raw.socket as TLSSocket);
    requireRole(identity, ["mec"], `${request.method} ${federationPath}`);
    return identity;
  };
  const running = (request: FastifyRequest): Federation => {
    const federation = federationOf(policyOf(request));
    if (federation === undefined) throw new Failure("update/stale", `${policyOf(request)} is not federated now`);
    return federation;
  };

  app.get(`${federationPath}/:policy`, async (request): Promise<FederationStatus> => {
    const { id } = memberOf(request);
    const { token = "", adopted = "0" } = request.query as { token?: string; adopted?: string };
    const gone = new AbortController();
    request.raw.on("close", () => gone.abort());
    const federation = federationOf(policyOf(request));
    federation?.adopted(id, Number(adopted));
    const wait = federation === undefined ? idleMilliseconds : newsMilliseconds;
    const signal = timeLimit(wait, gone.signal);
    if (federation !== undefined) await federation.news(token, signal);
    else if (token === noFederation.token) await aborted(signal);
    return federationOf(policyOf(request))?.status(id) ?? noFederation;
  });

  app.put(`${federationPath}/:policy/:round/update`, async (request) => {
    const { id } = peerIdentity(request.raw.socket as TLSSocket);
    const federation = running(request);
    try {
      memberOf(request);
      const round = roundOf(request);
      const bytes = await readBody(request.body as Readable | undefined, largestWeights(federation.setup.shapes));
      const declared = request.headers["content-digest"];
      await federation.takeIn(id, round, bytes, declared === undefined ? undefined : String(declared));
      return { accepted: true, round };
    } catch (error) {
      if (error instanceof Failure) federation.refused(id, error.code, messageOf(error));
      throw error;
    }
  });

  app.get(`${federationPath}/:policy/:round/global`, async (request, reply) => {
    memberOf(request);
    const federation = running(request);
    const file = federation.globalModel(roundOf(request));
    return reply
      .header("content-digest", federation.course.result?.digest ?? "")
      .type("application/octet-stream")
      .send(createReadStream(file));
  });
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

const policyOf = (request: FastifyRequest): string => (request.params as { policy: string }).policy;

const roundOf = (request: FastifyRequest): number => {
  const { round } = request.params as { round: string };
  if (/^[1-9][0-9]{0,8}$/.test(round)) return Number(round);
  throw new Failure("wire/malformed", `expected a round from 1, got ${round.slice(0, 40)}`);
};

const readBody = async (body: Readable | undefined, limit: number): Promise<Uint8Array> => {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of body ?? []) {
    size += (piece as Buffer).length;
    if (size > limit) throw new Failure("wire/too-large", `expected at most ${limit} bytes of weights`);
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces);
};
