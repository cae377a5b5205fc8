/** Calls `action` once after a time, unless cancelled; the reconnecting link gets it as an argument so tests need not wait. */
export type After = (seconds: number, action: () => void) => Cancel;
export type Cancel = () => void;

export const after: After = (seconds, action) => {
  // biome-ignore lint/style/noRestrictedGlobals: the browser's own clock; lab time comes with the snapshots.
  const timer = setTimeout(action, seconds * 1000);
  return () => clearTimeout(timer);
};
