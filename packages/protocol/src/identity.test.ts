import { once } from "node:events";
import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, createServer, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Authority,
  createAuthority,
  type Identity,
  issueIdentity,
  peerIdentity,
  requireRole,
  roles,
} from "./identity.ts";
import { clientTls, readTlsMaterial, serverTls, type TlsMaterial } from "./tls.ts";

let folder = "";
let authority: Authority;
let station: TlsMaterial;

const issued = async (identity: Identity, by = authority, where = "lab", validDays?: number): Promise<TlsMaterial> =>
  readTlsMaterial(await issueIdentity(by, identity, ["localhost", "127.0.0.1"], join(folder, where), validDays));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "identity-"));
  authority = await createAuthority();
  station = await issued({ id: "cbs", role: "cbs" });
});
afterAll(() => rm(folder, { recursive: true }));

/** Listens on a free port while `use` runs. */
const withServer = async (options: TlsOptions, use: (server: Server, port: number) => Promise<void>): Promise<void> => {
  const server = createServer(options);
  const sockets = new Set<TLSSocket>();
  server.on("secureConnection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  server.listen(0);
  await once(server, "listening");
  try {
    await use(server, (server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  }
};

/** What the server sees of a client: its socket, or why the handshake failed. */
const seenBy = async (server: Server, port: number, options: ConnectionOptions): Promise<TLSSocket | Error> => {
  const seen = Promise.race([
    once(server, "secureConnection").then(([socket]) => socket as TLSSocket),
    once(server, "tlsClientError").then(([error]) => error as Error),
  ]);
  const client = connect({ host: "localhost", port, ...options });
  client.on("error", () => {});
  const result = await seen;
  client.destroy();
  return result;
};

describe("a server with serverTls", () => {
  it.each(roles)("knows the id and the role of a client whose role is %s", async (role) => {
    const identity = { id: "ed-1-2", role };
    const client = await issued(identity, authority, `client-${role}`);
    await withServer(serverTls(station), async (server, port) => {
      const socket = (await seenBy(server, port, client)) as TLSSocket;
      expect(peerIdentity(socket)).toEqual(identity);
      expect(socket.getProtocol()).toBe("TLSv1.3");
    });
  });

  it("refuses a client of another lab, even when it trusts this one", async () => {
    const stranger = await issued({ id: "ed-1-1", role: "ed" }, await createAuthority(), "other");
    await withServer(serverTls(station), async (server, port) => {
      expect(await seenBy(server, port, { ...stranger, ca: station.ca })).toBeInstanceOf(Error);
    });
  });

  it("refuses a client without a certificate", async () => {
    await withServer(serverTls(station), async (server, port) => {
      expect(await seenBy(server, port, { ca: station.ca })).toBeInstanceOf(Error);
    });
  });

  it("refuses a client whose certificate has expired", async () => {
    const late = await issued({ id: "ed-1-1", role: "ed" }, authority, "late", -0.5);
    await withServer(serverTls(station), async (server, port) => {
      expect(await seenBy(server, port, late)).toBeInstanceOf(Error);
    });
  });

  it("refuses a client that speaks only TLS 1.2", async () => {
    const client = await issued({ id: "ed-1-1", role: "ed" }, authority, "old");
    await withServer(serverTls(station), async (server, port) => {
      expect(await seenBy(server, port, { ...client, maxVersion: "TLSv1.2" })).toBeInstanceOf(Error);
    });
  });

  it("is refused by a client under a name that its certificate has not", async () => {
    const client = await issued({ id: "ed-1-1", role: "ed" }, authority, "named");
    const elsewhere = await readTlsMaterial(
      await issueIdentity(authority, { id: "cbs", role: "cbs" }, ["lab.example"], join(folder, "elsewhere")),
    );
    await withServer(serverTls(elsewhere), async (_, port) => {
      const socket = connect({ host: "localhost", port, ...client });
      const [error] = await once(socket, "error");
      expect(error).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    });
  });
});

describe("a client with clientTls", () => {
  it("connects to a server of the role that it expects, and to no other", async () => {
    const client = await issued({ id: "ed-1-1", role: "ed" }, authority, "expecting");
    for (const role of roles) {
      const server = await issued({ id: "server", role }, authority, `server-${role}`);
      await withServer(serverTls(server), async (_, port) => {
        for (const expected of ["cbs", "mec"] as const) {
          const socket = connect({ host: "localhost", port, ...clientTls(client, expected) });
          const error = await once(socket, "secureConnect").then(
            () => null,
            (reason: unknown) => reason,
          );
          socket.destroy();
          if (role === expected) expect(error).toBeNull();
          else {
            expect(error).toMatchObject({
              name: "Failure",
              code: "peer/forbidden",
              message: `localhost: expected a server with the role (OU) ${expected}, got ${role}`,
            });
          }
        }
      });
    }
  });

  it("still refuses a name that the certificate has not", async () => {
    const files = await issueIdentity(authority, { id: "mec-1", role: "mec" }, ["lab.example"], join(folder, "mec"));
    await withServer(serverTls(await readTlsMaterial(files)), async (_, port) => {
      const socket = connect({ host: "localhost", port, ...clientTls(station, "mec") });
      const [error] = await once(socket, "error");
      expect(error).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    });
  });
});

describe("peerIdentity", () => {
  const forbidden = expect.objectContaining({ name: "Failure", code: "peer/forbidden" });

  it("does not rely on the server's options: it refuses a peer that is not authorised", async () => {
    const stranger = await issued({ id: "ed-1-1", role: "ed" }, await createAuthority(), "stranger");
    await withServer({ ...station, requestCert: true, rejectUnauthorized: false }, async (server, port) => {
      for (const client of [{ ca: station.ca }, { ...stranger, ca: station.ca }]) {
        const socket = (await seenBy(server, port, client)) as TLSSocket;
        expect(() => peerIdentity(socket)).toThrow(forbidden);
      }
    });
  });

  it("refuses a certificate of this lab that names no role", async () => {
    const guest = await issued({ id: "guest", role: "guest" as "ed" }, authority, "guest");
    await withServer(serverTls(station), async (server, port) => {
      const socket = (await seenBy(server, port, guest)) as TLSSocket;
      expect(() => peerIdentity(socket)).toThrow(forbidden);
      expect(() => peerIdentity(socket)).toThrow("guest");
    });
  });
});

describe("the files of an identity", () => {
  const identity = { id: "mec-1", role: "mec" } as const;

  it("keep the key from everyone but its owner", async () => {
    const files = await issueIdentity(authority, identity, [], join(folder, "modes"));
    expect((await stat(files.key)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "modes"))).mode & 0o777).toBe(0o700);
  });

  it("keep the key to its owner also when an older one was open to others", async () => {
    const where = join(folder, "renewed");
    const { key } = await issueIdentity(authority, identity, [], where);
    await chmod(key, 0o644);
    await issueIdentity(authority, identity, [], where);
    expect((await stat(key)).mode & 0o777).toBe(0o600);
  });

  it("that cannot be read are named", async () => {
    const files = await issueIdentity(authority, identity, [], join(folder, "partial"));
    await rm(files.certificate);
    await expect(readTlsMaterial(files)).rejects.toMatchObject({ code: "config/invalid" });
    await expect(readTlsMaterial(files)).rejects.toThrow(files.certificate);
  });
});

it("requireRole lets the allowed roles pass and refuses every other with who needs what", () => {
  for (const role of roles) {
    const act = () => requireRole({ id: "n", role }, ["operator", "mec"], "POST /runs");
    if (role === "operator" || role === "mec") expect(act).not.toThrow();
    else expect(act).toThrow(`POST /runs needs the role operator or mec, n has ${role}`);
  }
});
