// A carried program that is slow to listen, and then answers with what it was given and told.
// Node 20 reads no TypeScript, and neither a thread nor a process inherits tsx from what starts it.
import { register } from "tsx/esm/api";

register();
const { answerCarrier, carriedData, endCarried, hearRequests } = await import("./carrier.ts");
const data = await carriedData();
await new Promise((resolve) => setImmediate(resolve));
hearRequests((request) => {
  if (request === "end") endCarried();
  else answerCarrier({ data, request });
});
