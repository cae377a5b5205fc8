import type { LiveSnapshot } from "@offloadlab/protocol";
import { useEffect, useRef, useState } from "preact/hooks";
import { type History, noHistory, remember } from "./history.ts";
import { type LinkState, type LiveLink, openLiveLink, type Socket } from "./live-link.ts";
import { after } from "./timer.ts";

/** Everything the page knows. */
export interface Live {
  readonly link: LinkState;
  /** The last one received, however old; null before the first. */
  readonly snapshot: LiveSnapshot | null;
  readonly history: History;
  readonly retry: () => void;
}

/** Follows the C-BS from the first render to the last. */
export const useLive = (): Live => {
  const [link, setLink] = useState<LinkState>("connecting");
  const [seen, setSeen] = useState<{ snapshot: LiveSnapshot | null; history: History }>({
    snapshot: null,
    history: noHistory,
  });
  const live = useRef<LiveLink | null>(null);
  useEffect(() => {
    const opened = openLiveLink({
      open: openSocket,
      after,
      random: Math.random,
      onState: setLink,
      onSnapshot: (snapshot) => setSeen(({ history }) => ({ snapshot, history: remember(history, snapshot) })),
    });
    live.current = opened;
    return opened.close;
  }, []);
  return { link, ...seen, retry: () => live.current?.retry() };
};

const openSocket = (): Socket => {
  const url = new URL("/live", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const webSocket = new WebSocket(url);
  const socket: Socket = { onmessage: null, onclose: null, close: () => webSocket.close() };
  webSocket.onmessage = (event) => socket.onmessage?.(event);
  webSocket.onclose = () => socket.onclose?.();
  return socket;
};
