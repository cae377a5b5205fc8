import { fileURLToPath } from "node:url";
import preact from "@preact/preset-vite";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL("dashboard", import.meta.url)),
  base: "./",
  plugins: [preact({ devToolsEnabled: false })],
  build: { outDir: "../dist/dashboard", emptyOutDir: true },
});
