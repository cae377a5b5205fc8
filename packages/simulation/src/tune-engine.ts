import { setFlagsFromString } from "node:v8";

/**
 * Lets V8 inline more into a function than it does by itself: a sub-slot is one large loop over small functions, a formula
 * each, and a simulation gets about a tenth faster. To be called before anything is simulated; results do not change.
 */
export const tuneEngine = (): void => {
  setFlagsFromString("--max-inlined-bytecode-size=1000");
  setFlagsFromString("--max-inlined-bytecode-size-cumulative=5000");
};
