/** A processor architecture that is released for, and what differs with it. */
export interface Architecture {
  /** As Node, npm and the tarballs' names have it. */
  readonly name: "x64" | "arm64";
  readonly debian: "amd64" | "arm64";
  /** Folder of the shared libraries in Debian. */
  readonly triplet: string;
  /** The loader's file name. */
  readonly loader: string;
  /** `Machine` in an ELF header as readelf prints it. */
  readonly machine: string;
  /** Of the npm package `node-linux-<name>`, the official build. */
  readonly nodeIntegrity: string;
}

/** onnxruntime-node's `fcntl64` and sharp's `statx` are of glibc 2.28; undici 8 needs Node 22.19. */
export const nodeVersion = "22.23.3";

export const architectures: Readonly<Record<Architecture["name"], Architecture>> = {
  x64: {
    name: "x64",
    debian: "amd64",
    triplet: "x86_64-linux-gnu",
    loader: "ld-linux-x86-64.so.2",
    machine: "Advanced Micro Devices X86-64",
    nodeIntegrity: "sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==",
  },
  arm64: {
    name: "arm64",
    debian: "arm64",
    triplet: "aarch64-linux-gnu",
    loader: "ld-linux-aarch64.so.1",
    machine: "AArch64",
    nodeIntegrity: "sha512-l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==",
  },
};
