// Node 20 reads no TypeScript, and a thread does not inherit tsx from the thread that starts it.
import { register } from "tsx/esm/api";

register();
await import("./learner-program.ts");
