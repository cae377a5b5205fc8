import type { LiveRun } from "@offloadlab/protocol";
import { createContext } from "preact";
import { useContext } from "preact/hooks";

/** What the figures come from; null without a run. */
export const Hardware = createContext<LiveRun["hardware"] | null>(null);

export const useEmulated = (): boolean => useContext(Hardware) === "emulated";

/** Marks a figure that no instrument measured; nothing on real boards. */
export const EmulatedTag = () =>
  useEmulated() ? (
    <span class="tag" title="This figure follows the model; no instrument measured it.">
      emulated
    </span>
  ) : null;
