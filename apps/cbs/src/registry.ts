import { EventEmitter } from "node:events";
import type { Environment, Identity, ToNode, ToStation } from "@offloadlab/protocol";
import type { WebSocket } from "ws";

/** A daemon that has connected at least once since the C-BS started. */
export interface LabNodeState {
  readonly id: string;
  readonly role: Identity["role"];
  readonly boot: string;
  readonly hardware: "emulated" | "linux";
  readonly environment: Environment;
  readonly online: boolean;
  readonly telemetry: (ToStation & { type: "telemetry" }) | undefined;
}

interface RegistryEvents {
  online: [LabNodeState];
  offline: [LabNodeState];
  message: [node: string, message: ToStation];
}

const heartbeatSeconds = 0.5;
/** Real time between pings; a node that has not answered one by the next is gone. */
const pingMilliseconds = 5_000;

/** Which nodes are there, and the way to talk to them. */
export class Registry extends EventEmitter<RegistryEvents> {
  readonly #nodes = new Map<string, LabNodeState>();
  readonly #sockets = new Map<string, WebSocket>();

  get nodes(): readonly LabNodeState[] {
    return [...this.#nodes.values()];
  }

  find(id: string): LabNodeState | undefined {
    return this.#nodes.get(id);
  }

  /** Sends to a node; says whether it is connected. */
  send(id: string, message: ToNode): boolean {
    const socket = this.#sockets.get(id);
    if (socket?.readyState !== 1) return false;
    socket.send(JSON.stringify(message));
    return true;
  }

  /** Takes over a node's connection after its hello. */
  join(hello: ToStation & { type: "hello" }, socket: WebSocket): void {
    this.#sockets.get(hello.node)?.terminate();
    this.#sockets.set(hello.node, socket);
    const { node: id, role, boot, hardware, environment } = hello;
    const state: LabNodeState = { id, role, boot, hardware, environment, online: true, telemetry: undefined };
    this.#nodes.set(id, state);
    this.#ping(socket);
    socket.on("close", () => {
      if (this.#sockets.get(id) !== socket) return;
      this.#sockets.delete(id);
      const gone = { ...(this.#nodes.get(id) ?? state), online: false };
      this.#nodes.set(id, gone);
      this.emit("offline", gone);
    });
    this.send(id, { type: "welcome", heartbeatSeconds });
    this.emit("online", state);
  }

  receive(id: string, message: ToStation): void {
    const state = this.#nodes.get(id);
    if (message.type === "telemetry" && state !== undefined) this.#nodes.set(id, { ...state, telemetry: message });
    else this.emit("message", id, message);
  }

  #ping(socket: WebSocket): void {
    let answered = true;
    socket.on("pong", () => {
      answered = true;
    });
    // biome-ignore lint/style/noRestrictedGlobals: a synchronous check of liveness in real time; nothing awaits it
    const timer = setInterval(() => {
      if (!answered) return socket.terminate();
      answered = false;
      socket.ping();
    }, pingMilliseconds);
    timer.unref();
    socket.on("close", () => clearInterval(timer));
  }
}
