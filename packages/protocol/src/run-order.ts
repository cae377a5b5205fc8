import { type Static, Type } from "typebox";
import { readerOf } from "./schema.ts";

/** What an operator sends to begin a run: the manifest and, by the names of learned policies, their agents' files in Base64. */
const RunOrder = Type.Object(
  { manifest: Type.String(), agents: Type.Record(Type.String(), Type.String()) },
  { additionalProperties: false },
);
export type RunOrder = Static<typeof RunOrder>;

export const readRunOrder = readerOf(RunOrder);
