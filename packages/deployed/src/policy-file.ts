import { createHash } from "node:crypto";
import { type Actor, actorModel, encodeModel } from "@offloadlab/learning";
import { communityAt, type Settings } from "@offloadlab/model";
import { usualInput, usualOutput } from "./card.ts";
import { agentLayout } from "./columns.ts";

/** A trained policy as two files. */
export interface PolicyFiles {
  readonly model: Uint8Array<ArrayBuffer>;
  readonly card: string;
}

/** How every model's output is read, in words. */
const actionText = {
  columns: ["offload", "bandwidth", "compute"],
  range: [-1, 1],
  offload: "above 0: to the edge; else on the device",
  shares:
    "(x + 1) / 2 is what a task asks for of the bandwidth and of the server; the tasks that are offloaded in a sub-slot split what tasks in flight leave, each in proportion to what it asks",
};

/**
 * Writes an actor of a community as an ONNX model with its card. The same actor gives the same bytes.
 *
 * @param training where it comes from and how good it is, in the card as it is
 */
export const policyFiles = (
  actor: Actor,
  networks: "set" | "flat",
  settings: Settings,
  communityIndex: number,
  training: Readonly<Record<string, unknown>> & { readonly method: string },
): PolicyFiles => {
  const community = communityAt(settings, communityIndex);
  const layout = agentLayout(settings.readings.observation, networks, community, settings.deadline);
  const model = encodeModel(actorModel(actor, networks));
  const card = {
    format: 1,
    name: `${training.method} ${community.name}`,
    model: { sha256: createHash("sha256").update(model).digest("hex"), input: usualInput, output: usualOutput },
    observation: {
      networks,
      device_count: networks === "set" ? null : community.deviceCount,
      device_columns: layout.deviceColumns,
      community_columns: layout.communityColumns,
    },
    action: {
      order:
        networks === "set" ? "[devices, columns]" : "[1, columns · devices]: the first column of all devices first",
      ...actionText,
    },
    training,
  };
  return { model, card: `${laidOut(card)}\n` };
};

/** JSON with what holds nothing but numbers and words on one line. */
const laidOut = (value: unknown): string =>
  JSON.stringify(value, null, 1).replace(/([[{])\n\s*([^[\]{}]*?)\n\s*([\]}])/g, (whole, open, inside, close) => {
    const line = `${open}${String(inside).replace(/\n\s*/g, " ")}${close}`;
    return open === "[" || line.length < 70 ? line : String(whole);
  });
