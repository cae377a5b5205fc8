import { join, resolve } from "node:path";
import { AuthorityFolder } from "@offloadlab/protocol";
import type { Inventory } from "./inventory.ts";
import { StationClient } from "./station-client.ts";

/** Where a lab's authority is, on the operator's machine. */
export const authorityFolder = (home: string): string => join(resolve(home), "ca");

export const stationUrl = ({ station, stationPort }: Inventory): string => `https://${station.address}:${stationPort}`;

/** The operator's connection to the C-BS of an inventory. */
export const openStation = async (inventory: Inventory, home: string): Promise<StationClient> => {
  const { operator } = await AuthorityFolder.open(authorityFolder(home));
  return StationClient.open(stationUrl(inventory), operator);
};
