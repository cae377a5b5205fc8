import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["{packages,apps}/*/src/**/*.test.ts", "apps/*/dashboard/**/*.test.ts", "test/**/*.test.ts"],
    isolate: false,
    env: { ORT_DISABLE_TELEMETRY: "1" },
  },
});
