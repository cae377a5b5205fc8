import { execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Supervision } from "./supervision.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "offloadlab-supervision-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Stands for systemd: prints each datagram that arrives at the socket as a line. */
const manager = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); print("bound", flush=True)
while True: print(s.recv(4096).decode(), flush=True)
`;
const helper = join(import.meta.dirname, "../../../ansible/roles/daemon/files/notifier");

it("tells systemd that it is ready, feeds the watchdog from the event loop, and not while that is blocked", async () => {
  const socket = join(folder, "notify");
  const listener = spawn("python3", ["-c", manager, socket], { stdio: ["ignore", "pipe", "inherit"] });
  const heard: { text: string; at: number }[] = [];
  const lines = createInterface(listener.stdout);
  await once(lines, "line");
  lines.on("line", (text) => heard.push({ text, at: performance.now() }));
  const beats = async (count: number): Promise<void> => {
    const wanted = heard.filter(({ text }) => text === "WATCHDOG=1").length + count;
    while (heard.filter(({ text }) => text === "WATCHDOG=1").length < wanted) await once(lines, "line");
  };

  const supervision = new Supervision({
    ...process.env,
    OFFLOAD_NOTIFIER: helper,
    NOTIFY_SOCKET: socket,
    WATCHDOG_USEC: "300000",
  });
  supervision.ready();
  await beats(3);
  expect(heard.map(({ text }) => text)).toContain("READY=1");
  // Another process notes the time meanwhile: nothing must arrive until the loop turns again.
  const blocked = performance.now();
  execFileSync("sleep", ["0.5"]);
  const free = performance.now();
  await beats(1);
  expect(heard.filter(({ at }) => at > blocked + 50 && at < free - 50)).toEqual([]);
  supervision.stopping();
  while (heard.at(-1)?.text !== "STOPPING=1") await once(lines, "line");
  listener.kill();
  await once(listener, "close");
});

it("marks the node as busy while a run is open", async () => {
  const supervision = new Supervision({ RUNTIME_DIRECTORY: folder });
  await supervision.busy("run-1");
  expect(readFileSync(join(folder, "busy"), "utf8")).toBe("run-1\n");
  await supervision.busy(undefined);
  expect(existsSync(join(folder, "busy"))).toBe(false);
  await supervision.busy(undefined);
});

it("does not keep a daemon alive that has ended", () => {
  const program = join(folder, "daemon.mts");
  writeFileSync(
    program,
    `import { Supervision } from ${JSON.stringify(join(import.meta.dirname, "supervision.ts"))};
     new Supervision().ready(); process.exitCode = 7;`,
  );
  const env = {
    ...process.env,
    OFFLOAD_NOTIFIER: "/bin/cat",
    NOTIFY_SOCKET: join(folder, "none"),
    WATCHDOG_USEC: "9e9",
  };
  expect(() =>
    execFileSync(process.execPath, ["--import", "tsx", program], { env, timeout: 20_000, stdio: "pipe" }),
  ).toThrow(expect.objectContaining({ status: 7 }));
});

it("needs no systemd", async () => {
  const supervision = new Supervision({});
  supervision.ready();
  await supervision.busy("run-1");
  supervision.stopping();
});

describe("a daemon's end", () => {
  /** A daemon that says when it begins to stop, and goes on with that for a while after its supervisor has left. */
  const daemon = (): string => {
    const program = join(folder, "daemon.mts");
    writeFileSync(
      program,
      `import { once } from "node:events";
       import { setTimeout as sleep } from "node:timers/promises";
       import { Supervision } from ${JSON.stringify(join(import.meta.dirname, "supervision.ts"))};
       const supervision = new Supervision({});
       supervision.endsWith(async () => {
         console.log("stop");
         if (process.connected) await once(process, "disconnect");
         await sleep(100);
         console.log("stopped");
       });
       setInterval(() => undefined, 1000);
       supervision.ready();
       console.log("ready");`,
    );
    return program;
  };
  const execArgv = ["--import", "tsx"];

  it("comes once, when the supervisor says so and leaves, and not with the terminal's Ctrl-C", async () => {
    const child = fork(daemon(), { execArgv, stdio: ["ignore", "pipe", "inherit", "ipc"] });
    const said: string[] = [];
    const lines = createInterface(child.stdout as NodeJS.ReadableStream).on("line", (line) => said.push(line));
    await once(child, "message");
    child.kill("SIGINT");
    child.kill("SIGHUP");
    child.kill("SIGTERM");
    while (!said.includes("stop")) await once(lines, "line");
    const allSaid = once(lines, "close");
    child.disconnect();
    expect(await once(child, "exit")).toEqual([0, null]);
    await allSaid;
    expect(said).toEqual(["ready", "stop", "stopped"]);
  });

  it("comes with Ctrl-C where nobody supervises it", async () => {
    const child = spawn(process.execPath, [...execArgv, daemon()], { stdio: ["ignore", "pipe", "inherit"] });
    const said: string[] = [];
    const lines = createInterface(child.stdout).on("line", (line) => said.push(line));
    await once(lines, "line");
    child.kill("SIGINT");
    expect(await once(child, "close")).toEqual([0, null]);
    expect(said).toEqual(["ready", "stop", "stopped"]);
  });
});
