import { hardwareKeys } from "@offloadlab/hardware";
import { readerOf } from "@offloadlab/protocol";
import { type Static, Type } from "typebox";

const text = Type.String({ minLength: 1 });

/** `mec.yaml`: where an edge server listens, the C-BS and its own files. */
export const ServerConfig = Type.Object(
  {
    /** `mec-<community from 1>`, as in the certificate. */
    node: Type.String({ pattern: "^mec-[1-9][0-9]*$" }),
    station_url: Type.String({ pattern: "^wss://" }),
    listen_host: text,
    /** 0 takes a free one. */
    listen_port: Type.Integer({ minimum: 0, maximum: 65_535 }),
    ca: text,
    certificate: text,
    key: text,
    /** Revoked certificates. */
    crl: Type.Optional(text),
    state_folder: text,
    /** ONNX file with its YAML beside it; the embedded one when absent. */
    classifier: Type.Optional(text),
    /** Largest request body. */
    upload_limit_bytes: Type.Integer({ minimum: 1024 }),
    ...hardwareKeys,
  },
  { additionalProperties: false },
);
export type ServerConfig = Static<typeof ServerConfig>;

export const readServerConfig = readerOf(ServerConfig, "config/invalid");
