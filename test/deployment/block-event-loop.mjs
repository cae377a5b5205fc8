// Asks the debugger of the Node process of this network namespace to spin for ever.
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";

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
socket.on("open", () => {
  socket.send(JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression: "for (;;);" } }));
  // Once it spins, no further request is answered.
  socket.send(JSON.stringify({ id: 2, method: "Runtime.evaluate", params: { expression: "1" } }), () => process.exit());
});
