// Stands where the rehearsal expects a daemon, and starts the released one on an emulated board.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const [, file] = process.argv.slice(2);
const config = JSON.parse(readFileSync(file, "utf8"));
writeFileSync(`${file}.board`, JSON.stringify({ ...config, inference: "process" }));
const program = ["/opt/offload-rt/bin/node", "/opt/offload/@DAEMON@/@DAEMON@.mjs", "--config", `${file}.board`];
const child = spawn("chroot", ["@ROOT@", ...program], {
  stdio: ["ignore", "inherit", "inherit", "ipc"],
  env: { ...process.env, QEMU_CPU: "@PROCESSOR@", NODE_COMPILE_CACHE: "/tmp/compiled" },
});
child.on("message", (message) => process.send?.(message));
child.on("exit", (code) => process.exit(code ?? 1));
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => child.kill(signal));
process.on("disconnect", () => child.connected && child.disconnect());
