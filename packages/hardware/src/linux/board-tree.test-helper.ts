import { existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { SystemTree } from "./system-tree.ts";

/** In memory where there is such a folder, as /sys is: thousands of values are played into it. */
const folder = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** /sys and /proc of a board, in a temporary folder. */
export class BoardTree {
  readonly root = mkdtempSync(join(folder, "offloadlab-board-"));
  readonly system = new SystemTree(this.root);

  /** Writes files, `{ "sys/class/...": "value" }`. */
  write(files: Readonly<Record<string, string | number>>): void {
    for (const [file, content] of Object.entries(files)) {
      const path = join(this.root, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${content}\n`);
    }
  }

  /** Changes one file of those that are there, unless it was broken. */
  set(file: string, content: number): void {
    const path = join(this.root, file);
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === true) writeFileSync(path, `${content}\n`);
  }

  link(target: string, file: string): void {
    const path = join(this.root, file);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  }

  remove(file = ""): void {
    rmSync(join(this.root, file), { recursive: true, force: true });
  }

  /**
   * Makes a file that opens and then fails with EIO, as one does whose chip does not answer: the first page of a process's
   * memory is never mapped, so reading it from its beginning is an input/output error.
   */
  breakFile(file: string): void {
    this.remove(file);
    this.link("/proc/self/mem", file);
  }

  /** An INA226 on bus 1 as the kernel's ina2xx shows it. */
  addIna226(number: number, address: string, files: Readonly<Record<string, string | number>> = {}): string {
    const folder = `sys/class/hwmon/hwmon${number}`;
    const values = {
      name: "ina226",
      in0_input: 10,
      in1_input: 5100,
      curr1_input: 612,
      power1_input: 3_125_000,
      shunt_resistor: 20_000,
      update_interval: 50,
      ...files,
    };
    this.write(Object.fromEntries(Object.entries(values).map(([name, value]) => [`${folder}/${name}`, value])));
    this.link(`../../../devices/platform/soc/i2c-1/${address}`, `${folder}/device`);
    return folder;
  }
}
