import { hardwareKeys } from "@offloadlab/hardware";
import { readerOf } from "@offloadlab/protocol";
import { type Static, Type } from "typebox";

const text = Type.String({ minLength: 1 });

/** `ed.yaml`: where an end device finds its server, the C-BS and its own files. */
export const DeviceConfig = Type.Object(
  {
    /** `ed-<community from 1>-<device from 1>`, as in the certificate. */
    node: Type.String({ pattern: "^ed-[1-9][0-9]*-[1-9][0-9]*$" }),
    station_url: Type.String({ pattern: "^wss://" }),
    server_url: Type.String({ pattern: "^https://" }),
    ca: text,
    certificate: text,
    key: text,
    /** Revoked certificates. */
    crl: Type.Optional(text),
    state_folder: text,
    images: text,
    /** ONNX file with its YAML beside it; the embedded one when absent. */
    classifier: Type.Optional(text),
    ...hardwareKeys,
  },
  { additionalProperties: false },
);
export type DeviceConfig = Static<typeof DeviceConfig>;

export const readDeviceConfig = readerOf(DeviceConfig, "config/invalid");
