import type { InventoryNode } from "./inventory.ts";

/** What `firmware-scripts/common/facts` has found on a machine. */
export type BoardFacts = Readonly<Record<string, string>>;

/** Reads lines of `key=value`. */
export const parseFacts = (text: string): BoardFacts =>
  Object.fromEntries(
    text.split("\n").flatMap((line) => {
      const at = line.indexOf("=");
      return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
    }),
  );

/** What the facts script is called with. */
export const factsArguments = ({ id, variables }: InventoryNode): [wifiInterface: string, node: string] => [
  String(variables["wifi_interface"] ?? "wlan0"),
  id,
];
