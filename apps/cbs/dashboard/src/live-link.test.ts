import { expect, it } from "vitest";
import { backoffSeconds, type LinkState, openLiveLink, type Socket } from "./live-link.ts";
import { snapshot } from "./sample.ts";

interface Timer {
  readonly seconds: number;
  readonly action: () => void;
}

const bench = () => {
  const sockets: Socket[] = [];
  const states: LinkState[] = [];
  const seen: unknown[] = [];
  let timer: Timer | null = null;
  const link = openLiveLink({
    open: () => {
      const socket: Socket = { onmessage: null, onclose: null, close: () => {} };
      sockets.push(socket);
      return socket;
    },
    after: (seconds, action) => {
      timer = { seconds, action };
      return () => {
        timer = null;
      };
    },
    random: () => 1,
    onState: (state) => states.push(state),
    onSnapshot: (received) => seen.push(received),
  });
  const pending = (): Timer | null => timer;
  return { sockets, states, seen, link, pending, send: (data: unknown) => sockets.at(-1)?.onmessage?.({ data }) };
};

it("is live from the first snapshot on", () => {
  const { states, seen, send } = bench();
  send(JSON.stringify(snapshot()));
  expect(states).toEqual(["connecting", "live"]);
  expect(seen).toEqual([snapshot()]);
});

it("connects again with growing waits, which a snapshot resets", () => {
  const { sockets, pending, send, states } = bench();
  const lose = (): number | undefined => {
    sockets.at(-1)?.onclose?.();
    const seconds = pending()?.seconds;
    pending()?.action();
    return seconds;
  };
  expect([lose(), lose(), lose()]).toEqual([0.5, 1, 2]);
  expect(sockets.length).toBe(4);
  send(JSON.stringify(snapshot()));
  expect(lose()).toBe(0.5);
  expect(states.at(-1)).toBe("lost");
});

it("says so when a connection is open but nothing comes", () => {
  const { pending, send, states } = bench();
  send(JSON.stringify(snapshot()));
  pending()?.action();
  expect(states.at(-1)).toBe("silent");
});

it("tries at once when asked, and never with two sockets", () => {
  const { sockets, link, pending } = bench();
  sockets[0]?.onclose?.();
  link.retry();
  expect(sockets.length).toBe(2);
  expect(pending()).toBeNull();
  link.close();
  expect(sockets[1]?.onclose).toBeNull();
});

it("waits at most fifteen seconds, at least half the nominal wait", () => {
  expect(backoffSeconds(40, () => 1)).toBe(15);
  expect(backoffSeconds(40, () => 0)).toBe(7.5);
  expect(backoffSeconds(0, () => 0)).toBe(0.25);
});
