import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BoardTree } from "./board-tree.ts";

const roles = join(import.meta.dirname, "../ansible/roles");
const guard = join(roles, "daemon/files/release-guard");
const gate = join(roles, "time/files/wait-for-clock");

let board: BoardTree;
beforeEach(() => {
  board = new BoardTree();
});
afterEach(() => board.remove());

describe("release-guard", () => {
  const release = (version: string): void => {
    mkdirSync(join(board.root, "opt/offload/ed/releases", version), { recursive: true });
  };
  const run = (...args: readonly string[]): string => board.run(guard, "ed", ...args).stdout.trim();
  const current = (link = "current"): string =>
    execFileSync("readlink", [join(board.root, "opt/offload/ed", link)], { encoding: "utf8" }).trim();

  it("makes a release current, keeps the one before it and no more", () => {
    for (const version of ["1", "2", "3"]) {
      release(version);
      expect(run("use", version)).toMatch(/^changed: /);
      expect(run("use", version)).toBe("ok");
    }
    expect([current(), current("previous")]).toEqual(["releases/3", "releases/2"]);
    expect(readdirSync(join(board.root, "opt/offload/ed/releases")).sort()).toEqual(["2", "3"]);
    expect(board.run(guard, "ed", "use", "4")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no release 4/),
    });
  });

  it("goes back after three starts that did not get ready, not after two", () => {
    for (const version of ["1", "2"]) {
      release(version);
      run("use", version);
    }
    run("starting");
    run("starting");
    expect(run("started")).toBe("");
    for (let start = 0; start < 3; start += 1) expect(run("starting")).toBe("");
    expect(current()).toBe("releases/2");
    expect(run("starting")).toBe("release 2 did not start 3 times: back to 1");
    expect(current()).toBe("releases/1");
    expect(board.read("opt/offload/ed/set-aside")).toBe("2\n");
  });

  it("a start that a deployment owed is no longer due once it was asked for", () => {
    release("1");
    run("use", "1");
    board.add({ "opt/offload/ed/restart-due": "" });
    // What systemd says of the unit before and after it was asked to start it anew.
    board.program(
      "systemctl",
      `case "$*" in
         restart*) : > "$OFFLOAD_ROOT/asked" ;;
         *InvocationID*) if [ -e "$OFFLOAD_ROOT/asked" ]; then echo InvocationID=b; else echo InvocationID=a; fi ;;
         *ActiveState*) echo ActiveState=active ;;
       esac`,
    );
    expect(board.run(guard, "ed", "restart", "5").code).toBe(0);
    expect(board.calls()).toContain("systemctl restart --no-block offload-ed.service");
    expect(existsSync(join(board.root, "opt/offload/ed/restart-due"))).toBe(false);
  });

  it("has nowhere to go back to from the first release", () => {
    release("1");
    run("use", "1");
    for (let start = 0; start < 5; start += 1) expect(run("starting")).toBe("");
    expect(current()).toBe("releases/1");
    expect(run("back", "60")).toMatch(/^ok: there is no release before 1/);
  });
});

describe("wait-for-clock", () => {
  it("ends when the time is synchronised and the certificate is valid, and says what it waits for", () => {
    mkdirSync(join(board.root, "etc/offload/keys"), { recursive: true });
    // Synchronised at the second asking; valid at the third.
    board.program(
      "chronyc",
      'n=$(cat $OFFLOAD_ROOT/c || echo 0) 2> /dev/null; echo $((n + 1)) > $OFFLOAD_ROOT/c; echo "try: 5, refid: 00000000"; [ "$n" -ge 1 ]',
    );
    board.program(
      "openssl",
      'n=$(cat $OFFLOAD_ROOT/o || echo 0) 2> /dev/null; echo $((n + 1)) > $OFFLOAD_ROOT/o; [ "$n" -ge 2 ] || { echo "error 9 at 0 depth lookup: certificate is not yet valid"; exit 2; }',
    );
    const { code, stdout } = board.run(gate, "ed-1-1", "served");
    expect(code).toBe(0);
    const lines = stdout.trim().split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^waiting for the C-BS's time/);
    expect(lines[1]).toMatch(/^waiting for a time at which the certificate is valid; .*not yet valid$/);
    expect(lines[3]).toMatch(/^the clock is right/);
    expect(existsSync(join(board.root, "c"))).toBe(true);
  });

  it("the C-BS is the lab's time and waits for nobody's", () => {
    board.program("openssl", "");
    board.program("chronyc", "exit 1");
    expect(board.run(gate, "cbs", "own").code).toBe(0);
    expect(board.calls().filter((call) => call.startsWith("chronyc"))).toEqual([]);
  });

  it("judges a real certificate by the real clock", () => {
    const keys = join(board.root, "etc/offload/keys");
    mkdirSync(keys, { recursive: true });
    const make = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=cbs"];
    execFileSync("openssl", [...make, "-keyout", join(keys, "k"), "-out", join(keys, "ca.pem"), "-days", "1"], {
      stdio: "ignore",
    });
    execFileSync("cp", [join(keys, "ca.pem"), join(keys, "cbs.pem")]);
    expect(board.run(gate, "cbs", "own")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^the clock is right/),
    });
  });
});
