import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { serverTls, type TlsMaterial } from "./tls.ts";

/** A C-BS of its own for a test: mutual TLS and WebSockets on one port, which it keeps when it is closed and opened again. */
export class TestStation {
  readonly #tls: TlsMaterial;
  readonly #accept: (socket: WebSocket) => void;
  #server: Server | undefined;
  #sockets: WebSocketServer | undefined;
  /** Also those whose TLS handshake has not ended. */
  readonly #connections = new Set<Duplex>();
  #port = 0;

  constructor(tls: TlsMaterial, accept: (socket: WebSocket) => void = () => {}) {
    this.#tls = tls;
    this.#accept = accept;
  }

  get url(): string {
    return `wss://localhost:${this.#port}/link`;
  }

  get server(): Server {
    if (this.#server === undefined) throw new RangeError("Expected an open station");
    return this.#server;
  }

  async open(): Promise<void> {
    this.#server = createServer(serverTls(this.#tls));
    this.#server.on("connection", (socket) => {
      this.#connections.add(socket);
      socket.on("close", () => this.#connections.delete(socket));
    });
    this.#sockets = new WebSocketServer({ server: this.#server });
    this.#sockets.on("connection", this.#accept);
    this.#server.listen(this.#port);
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Breaks every connection, as a station that is killed does. */
  cut(): void {
    for (const socket of this.#sockets?.clients ?? []) socket.terminate();
  }

  /** As `cut`, and nobody listens any more. */
  async close(): Promise<void> {
    const closed = once(this.server, "close");
    this.#sockets?.close();
    this.server.close();
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }
}
