import { text as readStream } from "node:stream/consumers";
import { AuthorityFolder, type Identity } from "@offloadlab/protocol";
import { alignedLines } from "@offloadlab/records";
import { exitCodes } from "./exit-codes.ts";
import { nodeOf, readInventory } from "./inventory.ts";
import { type Format, printResult } from "./output.ts";

interface CaOptions {
  readonly ca: string;
  readonly format: Format;
}

/** `offload ca init`: the lab's authority and the operator's identity, unless they are there. */
export const caInit = async ({ ca, format }: CaOptions): Promise<void> => {
  const { created } = await AuthorityFolder.create(ca);
  const text = `${ca}: ${created ? "made a certificate authority and an operator's identity" : "is there already"}`;
  printResult(format, exitCodes.ok, text, { created });
};

/** `offload ca enrol`: certifies the key behind a request on standard input, for a node of the inventory. */
export const caEnrol = async (id: string, options: CaOptions & { inventory: string }): Promise<void> => {
  const inventory = await readInventory(options.inventory);
  const node = nodeOf(inventory, id);
  const identity: Identity = { id: node.id, role: node.role };
  const authority = await AuthorityFolder.open(options.ca);
  const request = await readStream(process.stdin);
  const enrolment = await authority.enrol(identity, [...new Set([node.address, node.sshHost])], request);
  printResult(options.format, exitCodes.ok, enrolment.certificate.trimEnd(), enrolment);
};

/** `offload ca revoke`: peers refuse the node once they have the new list. */
export const caRevoke = async (id: string, { ca, format }: CaOptions): Promise<void> => {
  const authority = await AuthorityFolder.open(ca);
  const revoked = await authority.revoke(id);
  const text = revoked
    ? `${id} is revoked; \`offload deploy\` brings the list to the other nodes`
    : `${id} was revoked before`;
  printResult(format, exitCodes.ok, text, { revoked });
};

/** `offload ca ls`: who is enrolled. */
export const caList = async ({ ca, format }: CaOptions): Promise<void> => {
  const enrolled = await (await AuthorityFolder.open(ca)).list();
  const rows = enrolled.map(({ id, role, hosts, validUntil, revoked }) => [
    id,
    role,
    hosts.join(" "),
    validUntil.slice(0, 10),
    revoked ? "revoked" : "valid",
  ]);
  const lines = alignedLines([["node", "role", "addresses", "until", "certificate"], ...rows], 5);
  printResult(format, exitCodes.ok, lines.join("\n"), enrolled);
};
