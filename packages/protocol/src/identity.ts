import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import * as x509 from "@peculiar/x509";
import { Failure } from "./failure.ts";

/**
 * What a certificate allows: an ED may request and upload, a MEC may serve and federate, only an operator may start
 * and stop runs.
 */
export const roles = ["cbs", "mec", "ed", "operator"] as const;
export type Role = (typeof roles)[number];

/** Who a peer is: the certificate's common name and organisational unit. */
export interface Identity {
  readonly id: string;
  readonly role: Role;
}

/** A lab's certificate authority. The key never leaves the operator's machine. */
export interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
}

/** Files of one node's identity. */
export interface IdentityFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** Revoked certificates; none are when absent. */
  readonly crl?: string;
}

/** Of every key in a lab. */
export const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMilliseconds = 86_400_000;
/** Calendar time, days from now. */
export const day = (offset: number): InstanceType<typeof globalThis.Date> =>
  // biome-ignore lint/style/noRestrictedGlobals: a certificate's validity is calendar time, not lab time
  new Date(performance.timeOrigin + performance.now() + offset * dayMilliseconds);

const serialNumber = (): string => {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return Buffer.from(bytes).toString("hex");
};

const generateKeys = (): Promise<CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<CryptoKeyPair>;

/** Makes a lab CA that is valid for a number of days. */
export const createAuthority = async (validDays = 365): Promise<Authority> => {
  x509.cryptoProvider.set(webcrypto as Crypto);
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    // A name of its own: with two labs' CAs of one name, a stranger's certificate would fail as corrupt instead of unknown.
    name: `CN=OffloadLab CA ${serialNumber().slice(0, 8)}`,
    notBefore: day(-1),
    notAfter: day(validDays),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate, keys };
};

/**
 * Issues a certificate for a node and writes `ca.pem`, `<id>.pem` and `<id>-key.pem` (mode 600) into a folder.
 *
 * @param hosts names and addresses under which the node is reached
 */
export const issueIdentity = async (
  authority: Authority,
  identity: Identity,
  hosts: readonly string[],
  folder: string,
  validDays = 365,
): Promise<IdentityFiles> => {
  const keys = await generateKeys();
  const certificate = await certificateFor(authority, identity, hosts, keys.publicKey, validDays);
  const der = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  const files = {
    ca: join(folder, "ca.pem"),
    certificate: join(folder, `${identity.id}.pem`),
    key: join(folder, `${identity.id}-key.pem`),
  };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(files.ca, authority.certificate.toString("pem"));
  await writeFile(files.certificate, certificate.toString("pem"));
  // A file that is there keeps its mode, and may be open to others.
  await rm(files.key, { force: true });
  await writeFile(files.key, x509.PemConverter.encode(der, "PRIVATE KEY"), { mode: 0o600 });
  return files;
};

/**
 * A certificate over a key that someone else made.
 *
 * @param hosts names and addresses under which the node is reached, beside its own name
 */
export const certificateFor = (
  authority: Authority,
  identity: Identity,
  hosts: readonly string[],
  publicKey: x509.PublicKeyType,
  validDays: number,
): Promise<x509.X509Certificate> => {
  if (!/^[a-z0-9][a-z0-9-]*$/.test(identity.id)) {
    throw new RangeError(`Expected a node's name of a-z, 0-9 and -, got ${identity.id}`);
  }
  return x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=${identity.id},OU=${identity.role},O=OffloadLab`,
    issuer: authority.certificate.subject,
    notBefore: day(-1),
    notAfter: day(validDays),
    publicKey,
    signingKey: authority.keys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension(
        [identity.id, ...hosts].map((host) => ({ type: isIP(host) ? ("ip" as const) : ("dns" as const), value: host })),
      ),
    ],
  });
};

/** A certificate does not change during a connection, and parsing it costs more than the rest of a small request. */
const known = new WeakMap<TLSSocket, Identity>();

/**
 * Who is at the other end of a mutually authenticated connection.
 *
 * @throws Failure `peer/forbidden` when the certificate is missing, not the lab's, or names no role
 */
export const peerIdentity = (socket: TLSSocket): Identity => {
  const identity = known.get(socket) ?? readIdentity(socket);
  known.set(socket, identity);
  return identity;
};

const readIdentity = (socket: TLSSocket): Identity => {
  if (!socket.authorized) {
    const why = socket.authorizationError ?? "no client certificate";
    throw new Failure(
      "peer/forbidden",
      `expected a certificate of this lab's CA, got ${String(why)}; enrol the node again`,
    );
  }
  const { CN: id, OU: role } = socket.getPeerCertificate().subject ?? {};
  if (typeof id !== "string" || !roles.includes(role as Role)) {
    throw new Failure(
      "peer/forbidden",
      `expected a certificate with a role (OU) of ${roles.join(", ")}, got ${String(role)}`,
    );
  }
  return { id, role: role as Role };
};

/**
 * Lets only some roles pass.
 *
 * @throws Failure `peer/forbidden` otherwise
 */
export const requireRole = (identity: Identity, allowed: readonly Role[], what: string): void => {
  if (allowed.includes(identity.role)) return;
  throw new Failure(
    "peer/forbidden",
    `${what} needs the role ${allowed.join(" or ")}, ${identity.id} has ${identity.role}`,
  );
};
