import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { sshArguments } from "./node-commands.ts";
import { failuresIn, playbooks, recapOf } from "./playbook.ts";

it("there is one playbook for each verb, and no other", () => {
  const files = readdirSync(join(import.meta.dirname, "../../../ansible")).filter((file) => file.endsWith(".yml"));
  expect(files.sort()).toEqual(playbooks.map((name) => `${name}.yml`).sort());
});

it("reads the numbers at the end of Ansible's output, not those that a task printed", () => {
  const lines = [
    "ok: [mec-1] => says mec-2 : ok=9 changed=9 unreachable=0 failed=0",
    "PLAY RECAP *********************************************************************",
    "cbs                        : ok=21   changed=0    unreachable=0    failed=0    skipped=7    rescued=0    ignored=0",
    "ed-1-1                     : ok=3    changed=2    unreachable=1    failed=0    skipped=0    rescued=0    ignored=0",
    "",
  ];
  expect(recapOf(lines)).toEqual({
    cbs: { ok: 21, changed: 0, unreachable: 0, failed: 0 },
    "ed-1-1": { ok: 3, changed: 2, unreachable: 1, failed: 0 },
  });
  expect(recapOf(["nothing ran"])).toEqual({});
});

it("says of each failure where it was, in the task's or the program's words", () => {
  const lines = [
    'fatal: [cbs]: FAILED! => {"assertion": "x", "changed": false, "msg": "run 7 is open on cbs"}',
    'fatal: [ed-1-1]: UNREACHABLE! => {"changed": false, "msg": "Failed to connect", "unreachable": true}',
    'fatal: [mec-1 -> localhost]: FAILED! => {"msg": "non-zero return code", "stderr": "offload: no authority"}',
    'failed: [mec-2] (item=a) => {"msg": "no such file"}',
    "ERROR! the playbook could not be found",
    "ok: [ed-1-2]",
  ];
  expect(failuresIn(lines)).toEqual([
    "cbs: run 7 is open on cbs",
    "ed-1-1: Failed to connect",
    "mec-1: offload: no authority",
    "mec-2: no such file",
    "ERROR! the playbook could not be found",
  ]);
});

it("reaches a node as Ansible does", () => {
  const node = { id: "ed-1-1", role: "ed", sshHost: "10.0.0.1", address: "ed.lan", board: "computer" } as const;
  const variables = {
    ansible_user: "pi",
    ansible_port: 2222,
    ansible_ssh_private_key_file: "/keys/lab",
    ansible_ssh_common_args: "-o UserKnownHostsFile=/x",
  };
  expect(sshArguments({ ...node, variables }).join(" ")).toMatch(
    /-o UserKnownHostsFile=\/x -p 2222 -l pi -i \/keys\/lab 10\.0\.0\.1$/,
  );
});
