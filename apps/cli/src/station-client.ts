import {
  clientTls,
  Failure,
  type IdentityFiles,
  messageOf,
  parseJson,
  type RunOrder,
  readTlsMaterial,
  type TlsMaterial,
} from "@offloadlab/protocol";
import type { ResultRow, Trial } from "@offloadlab/records";
import { Client } from "undici";

/** Where a run stands, as the C-BS tells it. */
export interface RunView {
  readonly id: string;
  readonly name: string;
  readonly folder: string;
  readonly state: "preparing" | "running" | "sealing" | "complete" | "invalid" | "interrupted";
  readonly reasons: readonly string[];
  readonly trial?: Trial;
  readonly trialCount: number;
  readonly remainingSeconds: number;
  readonly clockSpeed: number;
  readonly results: readonly ResultRow[];
}

/** A daemon that has connected since the C-BS started. */
export interface ConnectedNode {
  readonly id: string;
  readonly role: string;
  readonly online: boolean;
  readonly hardware: "emulated" | "linux";
}

/** An operator's connection to the C-BS. */
export class StationClient {
  readonly #client: Client;

  private constructor(url: string, tls: TlsMaterial) {
    this.#client = new Client(url, {
      connect: { ...clientTls(tls, "cbs"), timeout: 5_000 },
      headersTimeout: 60_000,
      bodyTimeout: 20_000,
    });
  }

  static async open(url: string, identity: IdentityFiles): Promise<StationClient> {
    return new StationClient(url, await readTlsMaterial(identity));
  }

  /** @param agents of each learned policy @throws Failure `config/invalid` for a bad manifest, `peer/refused` while another run lasts */
  async begin(manifest: string, agents: ReadonlyMap<string, Uint8Array>): Promise<{ id: string; folder: string }> {
    const files = [...agents].map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")] as const);
    const order: RunOrder = { manifest, agents: Object.fromEntries(files) };
    return (await this.#call("POST", "/api/v1/runs", JSON.stringify(order))) as { id: string; folder: string };
  }

  /** A run of this lab, also one that has ended. @throws Failure `peer/refused` when there is none of this id */
  async run(id: string): Promise<RunView> {
    return ((await this.#call("GET", `/api/v1/runs/${id}`)) as { run: RunView }).run;
  }

  /** The run that goes on, or the last one; null before the first. */
  async current(): Promise<RunView | null> {
    return ((await this.#call("GET", "/api/v1/runs/current")) as { run: RunView | null }).run;
  }

  async stop(): Promise<void> {
    await this.#call("POST", "/api/v1/runs/current/stop");
  }

  async nodes(): Promise<ConnectedNode[]> {
    return ((await this.#call("GET", "/api/v1/nodes")) as { nodes: ConnectedNode[] }).nodes;
  }

  async close(): Promise<void> {
    await this.#client.destroy();
  }

  async #call(method: "GET" | "POST", path: string, body?: string): Promise<unknown> {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const response = await this.#client
      .request({ method, path, headers, body: body ?? null })
      .catch((error: unknown) => {
        throw new Failure("peer/unreachable", `the C-BS does not answer: ${messageOf(error)}`, { cause: error });
      });
    const answer = parseJson(await response.body.text(), path) as { title?: string; code?: string };
    if (response.statusCode >= 400) {
      throw new Failure(
        answer.code === "config/invalid" ? "config/invalid" : "peer/refused",
        answer.title ?? `status ${response.statusCode}`,
      );
    }
    return answer;
  }
}
