import type { LiveSnapshot } from "@offloadlab/protocol";

/** A message as a snapshot; null for anything that is not one, so that one bad message cannot blank the page. */
export const parseSnapshot = (data: unknown): LiveSnapshot | null => {
  if (typeof data !== "string") return null;
  try {
    const value: unknown = JSON.parse(data);
    return isSnapshot(value) ? value : null;
  } catch {
    return null;
  }
};

const isSnapshot = (value: unknown): value is LiveSnapshot =>
  typeof value === "object" &&
  value !== null &&
  "run" in value &&
  "communities" in value &&
  Array.isArray(value.communities) &&
  "results" in value &&
  Array.isArray(value.results);
