import { readFile } from "node:fs/promises";
import { Failure } from "./failure.ts";
import type { IdentityFiles } from "./identity.ts";

/** The PEM texts that Node's TLS wants, for a server and a client alike. */
export interface TlsMaterial {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads a node's identity files.
 *
 * @throws Failure `config/invalid` naming the file that cannot be read
 */
export const readTlsMaterial = async (files: IdentityFiles): Promise<TlsMaterial> => {
  const read = async (file: string): Promise<string> => {
    try {
      return await readFile(file, "utf8");
    } catch (error) {
      throw new Failure("config/invalid", `${file}: expected a PEM file, ${(error as Error).message}`, {
        cause: error,
      });
    }
  };
  const [ca, cert, key] = await Promise.all([read(files.ca), read(files.certificate), read(files.key)]);
  return { ca, cert, key };
};

/** What a server logs of a handshake that it refused. */
export const handshakeRefusal = (error: Error & { code?: string }): string =>
  `refused a connection (${error.code ?? error.message}): peers need a certificate of this lab's CA`;

/** TLS options of a server that talks to this lab's nodes alone. */
export const serverTls = (material: TlsMaterial) =>
  ({ ...material, requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.3" }) as const;
