// Run on a host, by its own runtime: asks the debugger of the Node process there to spin for ever.
import { setTimeout as sleep } from "node:timers/promises";

const targets = async () => {
  for (;;) {
    try {
      return await (await fetch("http://127.0.0.1:9229/json/list")).json();
    } catch {
      await sleep(50);
    }
  }
};
const [target] = await targets();
const socket = new WebSocket(target.webSocketDebuggerUrl);
socket.onopen = async () => {
  socket.send(JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression: "for (;;);" } }));
  // Time for the message to leave.
  await sleep(200);
  process.exit();
};
