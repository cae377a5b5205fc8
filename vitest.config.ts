import { defineConfig } from "vitest/config";

const common = {
  env: { ORT_DISABLE_TELEMETRY: "1" },
  // What else failed is not to drown in ten thousand weights.
  diff: { truncateThreshold: 40 },
};

/** Labs that take half a minute to minutes each. */
const longLab = [
  ...["front-door", "kills", "lifecycle", "learning", "federation-dashboard"],
  ...["link", "calibrate", "pacing", "outside-policies", "real-boards"],
].map((name) => `test/lab/${name}.test.ts`);

// `lab` starts whole rehearsals and measures them: one file at a time, after everything else.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{packages,apps}/*/src/**/*.test.ts", "apps/*/dashboard/**/*.test.ts", "test/*.test.ts"],
          isolate: false,
          testTimeout: 30_000,
          ...common,
        },
      },
      {
        test: {
          name: "sweep",
          include: ["test/sweep/*.test.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          ...common,
        },
      },
      {
        test: {
          name: "onnx",
          include: ["test/onnx/*.test.ts"],
          ...common,
        },
      },
      {
        test: {
          name: "gates",
          include: ["test/learning/*.test.ts"],
          testTimeout: 1_800_000,
          ...common,
        },
      },
      {
        test: {
          name: "slurm",
          include: ["test/slurm/*.test.ts"],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          ...common,
        },
      },
      {
        test: {
          name: "deployment",
          include: ["test/deployment/*.test.ts"],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 900_000,
          ...common,
        },
      },
      {
        test: {
          name: "kills",
          include: ["test/kills/*.test.ts", "test/learning-kill/*.test.ts"],
          globalSetup: ["test/lab/setup.ts"],
          fileParallelism: false,
          testTimeout: 1_800_000,
          hookTimeout: 120_000,
          ...common,
        },
      },
      {
        test: {
          name: "lab-long",
          include: longLab,
          globalSetup: ["test/lab/setup.ts"],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          ...common,
        },
      },
      {
        test: {
          name: "lab",
          include: ["test/lab/*.test.ts"],
          exclude: longLab,
          globalSetup: ["test/lab/setup.ts"],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          ...common,
        },
      },
    ],
  },
});
