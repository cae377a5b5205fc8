import {
  clientTls,
  encodeImageRequest,
  Failure,
  headerLengthName,
  type Lease,
  messageOf,
  type OffloadAnswer,
  type OffloadRequest,
  parseJson,
  readOffloadAnswer,
  readService,
  type Service,
  type TlsMaterial,
} from "@offloadlab/protocol";
import { Client, errors } from "undici";

const connectMilliseconds = 5_000;

/** What comes back for an offloaded task. */
export interface Served {
  readonly label: string;
  readonly service: Service;
}

/**
 * A device's connections to its MEC: one for offload requests, one for uploads, so that a request never waits behind an
 * image.
 */
export class ServerClient {
  readonly #requests: Client;
  readonly #uploads: Client;
  readonly #model: string;

  constructor(url: string, tls: TlsMaterial, model: string) {
    const open = (): Client =>
      new Client(url, {
        connect: { ...clientTls(tls, "mec"), timeout: connectMilliseconds },
        pipelining: 1,
        keepAliveTimeout: 60_000,
        headersTimeout: 60_000,
      });
    this.#requests = open();
    this.#uploads = open();
    this.#model = model;
  }

  /**
   * Connects both ways, so that the first request of a trial does not wait for a handshake.
   *
   * @throws Failure `peer/unreachable` or `peer/refused`
   */
  async connect(): Promise<void> {
    await Promise.all(
      [this.#requests, this.#uploads].map((client) => this.#send(client, "GET", "/v2/health/ready", {}, null)),
    );
  }

  /**
   * Reports the device's state and asks for a decision on its head-of-line task.
   *
   * @throws Failure `peer/unreachable`, `peer/slow`, `peer/refused` or `wire/malformed`
   */
  async offload(request: OffloadRequest, signal: AbortSignal): Promise<OffloadAnswer> {
    const answer = await this.#send(
      this.#requests,
      "POST",
      "/api/v1/offload-requests",
      { "content-type": "application/json" },
      JSON.stringify(request),
      signal,
    );
    return readOffloadAnswer(answer, "answer to an offload request");
  }

  /**
   * Uploads an image under a lease and waits for its label.
   *
   * @param pace turns the body into pieces that leave at the lease's rate
   * @throws Failure `peer/unreachable`, `peer/slow`, `peer/refused` or `wire/malformed`
   */
  async infer(
    image: Uint8Array,
    lease: Lease,
    pace: (body: Uint8Array) => AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<Served> {
    const { body, headerLength } = encodeImageRequest(image, lease.task, { task_id: lease.task, lease_id: lease.id });
    const headers = {
      "content-type": "application/octet-stream",
      "content-length": String(body.length),
      [headerLengthName]: String(headerLength),
    };
    const answer = (await this.#send(
      this.#uploads,
      "POST",
      `/v2/models/${this.#model}/infer`,
      headers,
      pace(body),
      signal,
    )) as {
      parameters?: unknown;
      outputs?: { name: string; data: unknown[] }[];
    };
    const label = answer.outputs?.find(({ name }) => name === "label")?.data[0];
    return { label: String(label), service: readService(answer.parameters, "inference response") };
  }

  async close(): Promise<void> {
    await Promise.all([this.#requests.destroy(), this.#uploads.destroy()]);
  }

  async #send(
    client: Client,
    method: "GET" | "POST",
    path: string,
    headers: Record<string, string>,
    body: string | AsyncIterable<Uint8Array> | null,
    signal: AbortSignal = AbortSignal.timeout(connectMilliseconds),
  ): Promise<unknown> {
    try {
      const response = await client.request({ method, path, headers, body: body as string, signal });
      const text = await response.body.text();
      if (response.statusCode !== 200) {
        throw new Failure("peer/refused", `${path}: expected 200, got ${response.statusCode}: ${text.slice(0, 300)}`);
      }
      return parseJson(text, path);
    } catch (error) {
      if (error instanceof Failure) throw error;
      const slow =
        signal.aborted || error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError;
      throw new Failure(slow ? "peer/slow" : "peer/unreachable", `${path}: ${messageOf(error)}`, { cause: error });
    }
  }
}
