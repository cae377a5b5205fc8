import { type RequestOptions, request } from "node:https";
import type { Socket } from "node:net";
import { type IdentityFiles, readTlsMaterial } from "@offloadlab/protocol";

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
  readonly json: () => Record<string, unknown>;
}

/** A plain HTTPS client with a node's identity, as any Open Inference Protocol client would be configured. */
export const openClient = async (url: string, identity: IdentityFiles) => {
  const tls = await readTlsMaterial(identity);
  return (
    method: string,
    path: string,
    headers: Record<string, string | number> = {},
    body?: Buffer | string,
  ): Promise<Answer> => send(url, { ...tls, method, path, headers }, body);
};

const send = (url: string, options: RequestOptions, body?: Buffer | string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const call = request(url, { agent: false, ...options }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("end", () => {
        const whole = Buffer.concat(pieces);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: whole,
          json: () => JSON.parse(whole.toString("utf8")) as Record<string, unknown>,
        });
      });
      response.on("error", reject);
    });
    call.on("error", reject);
    call.end(body);
  });

/** Sends the head of a request and a part of its body, then breaks the connection. */
export const breakOff = async (
  url: string,
  identity: IdentityFiles,
  path: string,
  headers: Record<string, string | number>,
  part: Buffer,
): Promise<void> => {
  const tls = await readTlsMaterial(identity);
  await new Promise<void>((resolve) => {
    const call = request(url, { agent: false, ...tls, method: "POST", path, headers });
    call.on("error", () => resolve());
    call.on("close", () => resolve());
    call.on("socket", (socket: Socket) => {
      socket.on("secureConnect", () => call.write(part, () => socket.destroy()));
    });
  });
};
