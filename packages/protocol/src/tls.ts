import { readFile } from "node:fs/promises";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { Failure } from "./failure.ts";
import type { IdentityFiles, Role } from "./identity.ts";

/** The PEM texts that Node's TLS wants, for a server and a client alike. */
export interface TlsMaterial {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Revoked certificates. */
  readonly crl?: string;
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
  return files.crl === undefined ? { ca, cert, key } : { ca, cert, key, crl: await read(files.crl) };
};

/** What a server logs of a handshake that it refused. */
export const handshakeRefusal = (error: Error & { code?: string }): string =>
  `refused a connection (${error.code ?? error.message}): peers need a certificate of this lab's CA`;

/** TLS options of a server that talks to this lab's nodes alone. */
export const serverTls = (material: TlsMaterial) =>
  ({ ...material, requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.3" }) as const;

/**
 * TLS options of a client that talks to one kind of server: any node of the lab has a certificate, but an ED's is not
 * enough to pose as the C-BS or a MEC.
 *
 * A server of another role is refused with a Failure `peer/forbidden`.
 */
export const clientTls = (material: TlsMaterial, serverRole: Extract<Role, "cbs" | "mec">) => ({
  ...material,
  checkServerIdentity: (host: string, certificate: PeerCertificate): Error | undefined => {
    const role = certificate.subject.OU;
    return (
      checkServerIdentity(host, certificate) ??
      (role === serverRole
        ? undefined
        : new Failure("peer/forbidden", `${host}: expected a server with the role (OU) ${serverRole}, got ${role}`))
    );
  },
});
