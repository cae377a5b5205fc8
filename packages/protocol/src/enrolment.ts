import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";
import { Failure, messageOf } from "./failure.ts";
import {
  type Authority,
  algorithm,
  certificateFor,
  createAuthority,
  day,
  type Identity,
  issueIdentity,
  type Role,
  roles,
} from "./identity.ts";

const files = { certificate: "ca.pem", key: "ca-key.pem", revoked: "crl.pem" } as const;
const issuedFolder = "issued";
const validDays = 365;
/** A certificate with less than this left is replaced by the next enrolment. */
const renewDays = 30;

/** What an enrolment gave. */
export interface Enrolment {
  /** PEM. */
  readonly certificate: string;
  /** False when the node's certificate was good as it was. */
  readonly issued: boolean;
}

/** A node that has or had a certificate. */
export interface Enrolled {
  readonly id: string;
  readonly role: Role;
  readonly hosts: readonly string[];
  readonly validUntil: string;
  readonly revoked: boolean;
}

/**
 * A lab's certificate authority in a folder of the operator's machine: `ca.pem`, its key (mode 600), the list of revoked
 * certificates `crl.pem`, and `issued/<node>.pem`.
 *
 * Nodes make their keys themselves and send a certificate request; a private key of a node is never here.
 */
export class AuthorityFolder {
  readonly folder: string;
  readonly #authority: Authority;

  private constructor(folder: string, authority: Authority) {
    this.folder = folder;
    this.#authority = authority;
  }

  /** Makes the authority and the operator's identity, or opens those that are there. */
  static async create(folder: string): Promise<{ authority: AuthorityFolder; created: boolean }> {
    const there = await readFile(join(folder, files.certificate)).catch(() => null);
    if (there !== null) return { authority: await AuthorityFolder.open(folder), created: false };
    await mkdir(join(folder, issuedFolder), { recursive: true, mode: 0o700 });
    const made = await createAuthority(10 * validDays);
    const key = await webcrypto.subtle.exportKey("pkcs8", made.keys.privateKey);
    await writeFile(join(folder, files.key), x509.PemConverter.encode(key, "PRIVATE KEY"), { mode: 0o600 });
    const authority = new AuthorityFolder(folder, made);
    await authority.#writeRevoked([]);
    await issueIdentity(made, { id: "operator", role: "operator" }, [], folder, validDays);
    return { authority, created: true };
  }

  /** @throws Failure `config/invalid` when the folder holds no authority */
  static async open(folder: string): Promise<AuthorityFolder> {
    try {
      x509.cryptoProvider.set(webcrypto as Crypto);
      const certificate = new x509.X509Certificate(await readFile(join(folder, files.certificate), "utf8"));
      const der = x509.PemConverter.decodeFirst(await readFile(join(folder, files.key), "utf8"));
      const privateKey = await webcrypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
      const publicKey = await certificate.publicKey.export(algorithm, ["verify"], webcrypto as Crypto);
      return new AuthorityFolder(folder, { certificate, keys: { privateKey, publicKey } as CryptoKeyPair });
    } catch (error) {
      throw new Failure(
        "config/invalid",
        `${folder}: expected a lab's certificate authority, ${messageOf(error)}; make one with \`offload ca init\``,
        { cause: error },
      );
    }
  }

  /** The operator's identity, made with the authority. */
  get operator() {
    const file = (name: string): string => join(this.folder, name);
    return {
      ca: file(files.certificate),
      certificate: file("operator.pem"),
      key: file("operator-key.pem"),
      crl: file(files.revoked),
    };
  }

  /**
   * Certifies a node's own key. Name, role and addresses come from the lab's inventory, never from the request.
   *
   * @param request PEM of a PKCS #10 certificate request
   * @throws Failure `peer/forbidden` when the request is not signed by its own key or names another node
   */
  async enrol(identity: Identity, hosts: readonly string[], request: string): Promise<Enrolment> {
    const asked = await readRequest(request);
    const name = asked.subjectName.getField("CN")[0];
    if (name !== identity.id)
      throw new Failure("peer/forbidden", `expected a request of ${identity.id}, got one of ${name}`);
    const kept = await this.#issuedTo(identity.id);
    if (kept !== undefined && (await this.#isStillRight(kept, identity, hosts, asked)))
      return { certificate: kept.toString("pem"), issued: false };
    const certificate = await certificateFor(this.#authority, identity, hosts, asked.publicKey, validDays);
    // Whoever has the node's former key is no longer that node.
    if (kept !== undefined) await this.#revoke(kept);
    const pem = certificate.toString("pem");
    await replace(this.#issuedFile(identity.id), pem);
    return { certificate: pem, issued: true };
  }

  /**
   * Revokes a node's certificate: peers that have the new list refuse it.
   *
   * @returns false when it was revoked before
   * @throws Failure `config/invalid` when the node never had one
   */
  async revoke(id: string): Promise<boolean> {
    const certificate = await this.#issuedTo(id);
    if (certificate === undefined)
      throw new Failure("config/invalid", `${this.folder}: ${id} has no certificate of this lab`);
    return this.#revoke(certificate);
  }

  /** Everyone who was ever enrolled, by name. */
  async list(): Promise<Enrolled[]> {
    const revoked = new Set(await this.#revokedSerials());
    const files = await readdir(join(this.folder, issuedFolder));
    const names = files.filter((file) => file.endsWith(".pem")).map((file) => file.slice(0, -".pem".length));
    const found = await Promise.all(names.sort().map((name) => this.#issuedTo(name)));
    return found
      .filter((certificate) => certificate !== undefined)
      .map((certificate) => ({
        ...identityIn(certificate),
        hosts: hostsIn(certificate).slice(1),
        validUntil: certificate.notAfter.toISOString(),
        revoked: revoked.has(certificate.serialNumber),
      }));
  }

  async #isStillRight(
    certificate: x509.X509Certificate,
    identity: Identity,
    hosts: readonly string[],
    request: x509.Pkcs10CertificateRequest,
  ): Promise<boolean> {
    const sameKey = Buffer.from(certificate.publicKey.rawData).equals(Buffer.from(request.publicKey.rawData));
    const { id, role } = identityIn(certificate);
    const sameNames = [identity.id, ...hosts].join() === hostsIn(certificate).join();
    const revoked = (await this.#revokedSerials()).includes(certificate.serialNumber);
    const lasts = certificate.notAfter.getTime() > day(renewDays).getTime();
    return sameKey && id === identity.id && role === identity.role && sameNames && !revoked && lasts;
  }

  async #revoke(certificate: x509.X509Certificate): Promise<boolean> {
    const revoked = await this.#revokedSerials();
    if (revoked.includes(certificate.serialNumber)) return false;
    await this.#writeRevoked([...revoked, certificate.serialNumber]);
    return true;
  }

  async #revokedSerials(): Promise<string[]> {
    const list = new x509.X509Crl(await readFile(join(this.folder, files.revoked), "utf8"));
    return list.entries.map(({ serialNumber }) => serialNumber);
  }

  async #writeRevoked(serials: readonly string[]): Promise<void> {
    const list = await x509.X509CrlGenerator.create({
      issuer: this.#authority.certificate.subject,
      thisUpdate: day(-1),
      // Daemons take an outdated list for a fault: this one lasts as long as the authority.
      nextUpdate: this.#authority.certificate.notAfter,
      signingKey: this.#authority.keys.privateKey,
      signingAlgorithm: algorithm,
      entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: day(0) })),
    });
    // OpenSSL's name of it (RFC 7468, section 6), not the library's.
    await replace(join(this.folder, files.revoked), x509.PemConverter.encode(list.rawData, "X509 CRL"));
  }

  #issuedFile(id: string): string {
    return join(this.folder, issuedFolder, `${id}.pem`);
  }

  async #issuedTo(id: string): Promise<x509.X509Certificate | undefined> {
    const pem = await readFile(this.#issuedFile(id), "utf8").catch(() => undefined);
    return pem === undefined ? undefined : new x509.X509Certificate(pem);
  }
}

const readRequest = async (pem: string): Promise<x509.Pkcs10CertificateRequest> => {
  try {
    const request = new x509.Pkcs10CertificateRequest(pem);
    if (await request.verify(webcrypto as Crypto)) return request;
  } catch (error) {
    throw new Failure("peer/forbidden", `expected a certificate request in PEM, ${messageOf(error)}`, { cause: error });
  }
  throw new Failure("peer/forbidden", "expected a certificate request that is signed by its own key");
};

const identityIn = (certificate: x509.X509Certificate): Identity => {
  const field = (name: string): string => certificate.subjectName.getField(name)[0] ?? "";
  const role = roles.find((known) => known === field("OU"));
  if (role === undefined) throw new Failure("config/invalid", `${certificate.subject}: expected a role as OU`);
  return { id: field("CN"), role };
};

const hostsIn = (certificate: x509.X509Certificate): string[] => {
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  return names.map(({ value }) => value);
};

/** Writes a file whole or not at all. */
const replace = async (file: string, text: string): Promise<void> => {
  const draft = `${file}.new`;
  await writeFile(draft, text);
  await rename(draft, file);
};
