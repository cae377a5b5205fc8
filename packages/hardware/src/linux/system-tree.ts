import { execFile } from "node:child_process";
import { readFile } from "node:fs";
import { readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Failure, messageOf } from "@offloadlab/protocol";

/** With half the overhead of its twin in `fs/promises`: a meter is read twenty times a second. */
const read = promisify(readFile);
/** What the kernel answers when a device has gone or was never there. */
const absentCodes = ["ENOENT", "ENODEV", "ENXIO", "ENOTDIR"];

/** For `catch`: undefined of what is not there; every other failure stays one. */
export const ifAbsent = (error: unknown): undefined => {
  if (!(error instanceof Failure) || error.code !== "sensor/absent") throw error;
};

/**
 * The files in which the kernel shows its devices, /sys and /proc, below a root: `/` on a node, a folder in a test.
 *
 * Nothing is made up: what cannot be read is a failure that names the file.
 */
export class SystemTree {
  readonly root: string;

  constructor(root = "/") {
    this.root = root;
  }

  /** The path as the node itself has it, for messages and for other programs. */
  path(file: string): string {
    return join(this.root, file);
  }

  /**
   * The content of a file, without white space around it and without the NUL that ends texts of a device tree.
   *
   * @throws Failure `sensor/absent` when there is no such file, `sensor/unreadable` when reading fails or gives nothing
   */
  async text(file: string): Promise<string> {
    const path = this.path(file);
    const text = await read(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      const absent = absentCodes.includes(error.code ?? "");
      throw new Failure(absent ? "sensor/absent" : "sensor/unreadable", `${path}: ${messageOf(error)}`, {
        cause: error,
      });
    });
    const content = text.replaceAll("\0", "").trim();
    if (content === "") throw new Failure("sensor/unreadable", `${path}: expected a value, got nothing`);
    return content;
  }

  /**
   * An integer in a file, as the kernel's drivers write them.
   *
   * @throws Failure `sensor/absent`, or `sensor/unreadable` also when the content is no integer
   */
  async integer(file: string): Promise<number> {
    const text = await this.text(file);
    if (!/^[+-]?\d{1,15}$/.test(text))
      throw new Failure("sensor/unreadable", `${this.path(file)}: expected an integer, got ${JSON.stringify(text)}`);
    return Number(text);
  }

  /** Names in a folder, sorted; none when there is no such folder. */
  async names(folder: string): Promise<string[]> {
    return (await readdir(this.path(folder)).catch(() => [])).sort();
  }

  /** The last part of what a link points to, or undefined when it is none: a device's name on its bus. */
  async linkName(file: string): Promise<string | undefined> {
    return readlink(this.path(file)).then(
      (target) => target.split("/").at(-1),
      () => undefined,
    );
  }

  /**
   * What a program prints.
   *
   * @throws Failure `sensor/absent` when it is not installed, `sensor/unreadable` when it fails or does not end in 2 s
   */
  async output(program: string, args: readonly string[]): Promise<string> {
    try {
      return (await promisify(execFile)(program, args, { timeout: 2000 })).stdout;
    } catch (error) {
      const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
      const said = stderr?.trim() || messageOf(error);
      throw new Failure(code === "ENOENT" ? "sensor/absent" : "sensor/unreadable", `${program}: ${said}`, {
        cause: error,
      });
    }
  }
}
