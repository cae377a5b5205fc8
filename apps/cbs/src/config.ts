import { readerOf } from "@offloadlab/protocol";
import { type Static, Type } from "typebox";

const text = Type.String({ minLength: 1 });
const port = Type.Integer({ minimum: 0, maximum: 65_535 });

/** `cbs.yaml`: where the central station listens and keeps its archives. */
export const StationConfig = Type.Object(
  {
    listen_host: text,
    /** For the daemons and the CLI, mutual TLS; 0 takes a free one. */
    listen_port: port,
    /** For browsers on this machine, loopback only, read only; 0 takes a free one. */
    dashboard_port: port,
    ca: text,
    certificate: text,
    key: text,
    /** Revoked certificates. */
    crl: Type.Optional(text),
    runs_folder: text,
    /** Built dashboard. */
    dashboard_folder: text,
  },
  { additionalProperties: false },
);
export type StationConfig = Static<typeof StationConfig>;

export const readStationConfig = readerOf(StationConfig, "config/invalid");
