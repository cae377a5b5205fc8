import { place, placement } from "@offloadlab/model";
import type { PolicyMaker } from "./policy.ts";

/** Local, §V-A: every task is executed on its device. */
export const local: PolicyMaker = () => ({
  name: "local",
  decide(observation, action) {
    for (let index = 0; index < observation.deviceCount; index++) {
      const where = observation.waiting[index] === 1 ? placement.local : placement.wait;
      place(action, index, where, 0, 0);
    }
  },
});
