import { execFileSync } from "node:child_process";

/** Runs a program; its output, or an error that says which one is missing or what it complained about. */
export const run = (program: string, args: readonly string[], folder?: string): string => {
  try {
    return execFileSync(program, args, {
      encoding: "utf8",
      maxBuffer: 64 << 20,
      stdio: ["ignore", "pipe", "pipe"],
      ...(folder === undefined ? {} : { cwd: folder }),
    });
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === "ENOENT")
      throw new RangeError(`${program} is missing; apt-get install binutils mmdebstrap patchelf`, { cause: error });
    throw new RangeError(`${program} ${args.join(" ")} failed:\n${stderr ?? ""}`, { cause: error });
  }
};
