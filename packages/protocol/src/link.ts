import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { Failure, messageOf } from "./failure.ts";
import { parseToNode, type ToNode, type ToStation } from "./link-messages.ts";
import { clientTls, type TlsMaterial } from "./tls.ts";

/** Longest frame on the link: journals are shipped in pieces well below it. */
export const maxFrameBytes = 1 << 20;

const firstBackoffMilliseconds = 100;
const maxBackoffMilliseconds = 5_000;
const closeMilliseconds = 500;
const silenceMilliseconds = 15_000;

interface LinkEvents {
  /** Connected; the hello has been sent. */
  up: [];
  down: [reason: string];
  message: [ToNode];
}

/**
 * A node's connection to the C-BS: outward only, over mutual TLS, kept up until it is closed.
 *
 * Frames are not queued while it is down: what must not be lost is in the journal, which is shipped by offset
 * (`Shipping`), and telemetry is only worth its moment.
 */
export class Link extends EventEmitter<LinkEvents> {
  readonly #url: string;
  readonly #tls: TlsMaterial;
  readonly #hello: () => ToStation;
  readonly #closed = new AbortController();
  #socket: WebSocket | undefined;

  /**
   * @param url `wss://host:port/link`
   * @param hello said first on every connection
   */
  constructor(url: string, tls: TlsMaterial, hello: () => ToStation) {
    super();
    this.#url = url;
    this.#tls = tls;
    this.#hello = hello;
  }

  get isUp(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Sends when up; says whether it did. */
  send(message: ToStation): boolean {
    if (!this.isUp) return false;
    this.#socket?.send(JSON.stringify(message));
    return true;
  }

  /** Connects, and connects again with backoff and jitter whenever the connection ends; returns when closed. */
  async run(): Promise<void> {
    let backoff = firstBackoffMilliseconds;
    while (!this.#closed.signal.aborted) {
      const reason = await this.#connection(() => {
        backoff = firstBackoffMilliseconds;
      });
      this.#socket = undefined;
      this.emit("down", reason);
      await sleep(backoff * (0.5 + Math.random()), undefined, { signal: this.#closed.signal }).catch(() => undefined);
      backoff = Math.min(2 * backoff, maxBackoffMilliseconds);
    }
  }

  close(): void {
    this.#closed.abort();
    const socket = this.#socket;
    socket?.close(1000, "the node stops");
    // A silent peer does not hold a daemon that wants to end.
    void sleep(closeMilliseconds, undefined, { ref: false }).then(() => socket?.terminate());
  }

  /** One connection, from opening to its end; resolves with the reason of the end. */
  #connection(onOpen: () => void): Promise<string> {
    return new Promise((resolve) => {
      // Passed on to Node's TLS as they are; the types of ws know another `checkServerIdentity`.
      const tls: object = clientTls(this.#tls, "cbs");
      const socket = new WebSocket(this.#url, { ...tls, maxPayload: maxFrameBytes, handshakeTimeout: 5_000 });
      this.#socket = socket;
      let failure = "";
      // A half-open connection shows no error: the C-BS pings, and silence ends the connection.
      let heard = performance.now();
      const watch = async (): Promise<void> => {
        while (socket.readyState === WebSocket.OPEN) {
          await sleep(silenceMilliseconds / 3, undefined, { ref: false });
          if (performance.now() - heard > silenceMilliseconds) socket.terminate();
        }
      };
      socket.on("open", () => {
        onOpen();
        socket.send(JSON.stringify(this.#hello()));
        this.emit("up");
        void watch();
      });
      socket.on("ping", () => {
        heard = performance.now();
      });
      socket.on("message", (data) => {
        heard = performance.now();
        try {
          this.emit("message", parseToNode(String(data)));
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
          failure = error.message;
          socket.close(1002, "malformed message");
        }
      });
      socket.on("error", (error) => {
        failure = messageOf(error);
      });
      socket.on("close", (code, reason) => resolve(failure || String(reason) || `closed with code ${code}`));
    });
  }
}
