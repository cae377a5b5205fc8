import type { LiveSnapshot } from "@offloadlab/protocol";
import { parseSnapshot } from "./parse-snapshot.ts";
import type { After, Cancel } from "./timer.ts";

/** `silent`: connected, but the C-BS has stopped sending. */
export type LinkState = "connecting" | "live" | "silent" | "lost";

/** The part of a browser's WebSocket that the link uses. */
export interface Socket {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: (() => void) | null;
  close(): void;
}

export interface LinkOptions {
  readonly open: () => Socket;
  readonly after: After;
  /** Uniform over [0, 1), for the jitter. */
  readonly random: () => number;
  readonly onState: (state: LinkState) => void;
  readonly onSnapshot: (snapshot: LiveSnapshot) => void;
}

export interface LiveLink {
  /** Tries again now instead of at the end of the wait. */
  retry(): void;
  close(): void;
}

const silenceSeconds = 5;

/** Wait before attempt n (from 0): doubles from half a second to fifteen, of which the upper half is jitter. */
export const backoffSeconds = (attempt: number, random: () => number): number =>
  Math.min(15, 0.5 * 2 ** attempt) * (0.5 + 0.5 * random());

/** Receives snapshots for as long as the page is open, and connects again whenever the connection is lost. */
export const openLiveLink = ({ open, after, random, onState, onSnapshot }: LinkOptions): LiveLink => {
  let socket: Socket | null = null;
  let attempt = 0;
  let cancel: Cancel = () => {};

  const watch = (seconds: number, action: () => void): void => {
    cancel();
    cancel = after(seconds, action);
  };

  const drop = (): void => {
    cancel();
    if (!socket) return;
    socket.onclose = null;
    socket.onmessage = null;
    socket.close();
    socket = null;
  };

  const connect = (): void => {
    drop();
    socket = open();
    socket.onmessage = ({ data }) => {
      const snapshot = parseSnapshot(data);
      if (!snapshot) return;
      attempt = 0;
      watch(silenceSeconds, () => onState("silent"));
      onState("live");
      onSnapshot(snapshot);
    };
    socket.onclose = () => {
      socket = null;
      onState("lost");
      watch(backoffSeconds(attempt, random), connect);
      attempt += 1;
    };
  };

  onState("connecting");
  connect();
  return { retry: connect, close: drop };
};
