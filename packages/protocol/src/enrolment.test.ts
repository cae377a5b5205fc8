import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import * as x509 from "@peculiar/x509";
import { afterEach, beforeEach, expect, it } from "vitest";
import { AuthorityFolder } from "./enrolment.ts";
import type { IdentityFiles } from "./identity.ts";
import { peerIdentity } from "./identity.ts";
import { readTlsMaterial, serverTls } from "./tls.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "offloadlab-ca-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** What a board does with openssl: a key of its own, and a request that names itself. */
const requestOf = async (id: string): Promise<{ request: string; key: string }> => {
  x509.cryptoProvider.set(webcrypto as Crypto);
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${id}`,
    keys,
    signingAlgorithm: algorithm,
  });
  const der = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { request: request.toString("pem"), key: x509.PemConverter.encode(der, "PRIVATE KEY") };
};

const device = { id: "ed-1-1", role: "ed" } as const;

const install = (id: string, key: string, certificate: string): IdentityFiles => {
  const files = { certificate: join(folder, `${id}.pem`), key: join(folder, `${id}-key.pem`) };
  writeFileSync(files.key, key);
  writeFileSync(files.certificate, certificate);
  return { ...files, ca: join(folder, "ca.pem"), crl: join(folder, "crl.pem") };
};

/**
 * Connects with one identity to a server with another; who the server sees, or why it would refuse.
 *
 * @param lenient lets the connection through, to learn the reason
 */
const handshake = async (server: IdentityFiles, client: IdentityFiles, lenient = false): Promise<string> => {
  const listener = createServer({ ...serverTls(await readTlsMaterial(server)), rejectUnauthorized: !lenient });
  const seen = new Promise<string>((resolve) => {
    listener.on("secureConnection", (socket: TLSSocket) => {
      socket.on("error", () => undefined);
      resolve(socket.authorized ? peerIdentity(socket).id : String(socket.authorizationError));
    });
    listener.on("tlsClientError", () => resolve("refused"));
  });
  await new Promise<void>((ready) => listener.listen(0, "127.0.0.1", () => ready()));
  const { port } = listener.address() as AddressInfo;
  const socket = connect({ ...(await readTlsMaterial(client)), port, host: "127.0.0.1", servername: "cbs" });
  socket.on("error", () => undefined);
  const result = await seen;
  socket.destroy();
  listener.close();
  return result;
};

it("makes an authority once, with a key that nobody else may read, and an operator", async () => {
  const first = await AuthorityFolder.create(folder);
  expect(first.created).toBe(true);
  expect(statSync(join(folder, "ca-key.pem")).mode & 0o777).toBe(0o600);
  expect(statSync(first.authority.operator.key).mode & 0o777).toBe(0o600);
  const before = readFileSync(join(folder, "ca.pem"), "utf8");
  expect((await AuthorityFolder.create(folder)).created).toBe(false);
  expect(readFileSync(join(folder, "ca.pem"), "utf8")).toBe(before);
});

it("certifies a key that the node made, and refuses the node once its certificate is revoked", async () => {
  const { authority } = await AuthorityFolder.create(folder);
  const [server, client, other] = await Promise.all(["cbs", "ed-1-1", "ed-1-2"].map(requestOf));
  const enrol = async (id: string, role: "cbs" | "ed", made: { request: string; key: string } | undefined) =>
    install(id, made?.key ?? "", (await authority.enrol({ id, role }, ["127.0.0.1"], made?.request ?? "")).certificate);
  const cbs = await enrol("cbs", "cbs", server);
  const ed = await enrol("ed-1-1", "ed", client);
  const neighbour = await enrol("ed-1-2", "ed", other);
  expect(await handshake(cbs, ed)).toBe("ed-1-1");
  expect(await authority.revoke("ed-1-1")).toBe(true);
  expect(await authority.revoke("ed-1-1")).toBe(false);
  expect(await handshake(cbs, ed)).toBe("refused");
  expect(await handshake(cbs, ed, true)).toBe("CERT_REVOKED");
  expect(await handshake(cbs, neighbour)).toBe("ed-1-2");
  // An authority that is opened again knows it still.
  const reopened = await AuthorityFolder.open(folder);
  expect((await reopened.list()).map(({ id, revoked }) => [id, revoked])).toEqual([
    ["cbs", false],
    ["ed-1-1", true],
    ["ed-1-2", false],
  ]);
  // Enrolled again, the node is let in with its new certificate.
  expect(await handshake(cbs, await enrol("ed-1-1", "ed", client))).toBe("ed-1-1");
});

it("keeps a certificate that is right, and replaces it for a new key, a new address or a new role", async () => {
  const { authority } = await AuthorityFolder.create(folder);
  const [first, second] = await Promise.all([requestOf("ed-1-1"), requestOf("ed-1-1")]);
  const enrolled = await authority.enrol(device, ["10.0.0.1"], first.request);
  expect(enrolled.issued).toBe(true);
  expect(await authority.enrol(device, ["10.0.0.1"], first.request)).toEqual({ ...enrolled, issued: false });
  expect((await authority.enrol(device, ["10.0.0.2"], first.request)).issued).toBe(true);
  expect((await authority.enrol(device, ["10.0.0.2"], second.request)).issued).toBe(true);
  // The certificates before it are revoked: who has them is no longer this node.
  const list = new x509.X509Crl(readFileSync(join(folder, "crl.pem"), "utf8"));
  expect(list.entries).toHaveLength(2);
  expect(list.entries.map(({ serialNumber }) => serialNumber)).toContain(
    new x509.X509Certificate(enrolled.certificate).serialNumber,
  );
});

it("takes name and role from the inventory, not from the request", async () => {
  const { authority } = await AuthorityFolder.create(folder);
  const { request } = await requestOf("operator");
  await expect(authority.enrol(device, [], request)).rejects.toMatchObject({ code: "peer/forbidden" });
  const tampered = Buffer.from((await requestOf("ed-1-1")).request.replaceAll(/-----.*-----|\n/g, ""), "base64");
  tampered[tampered.length - 8] = (tampered[tampered.length - 8] ?? 0) ^ 1;
  const pem = x509.PemConverter.encode(tampered, "CERTIFICATE REQUEST");
  await expect(authority.enrol(device, [], pem)).rejects.toMatchObject({ code: "peer/forbidden" });
  await expect(authority.enrol(device, [], "no request")).rejects.toMatchObject({ code: "peer/forbidden" });
});

it("says what to do where there is no authority", async () => {
  await expect(AuthorityFolder.open(join(folder, "none"))).rejects.toThrow(/offload ca init/);
  const { authority } = await AuthorityFolder.create(folder);
  await expect(authority.revoke("ed-9-9")).rejects.toMatchObject({ code: "config/invalid" });
});
