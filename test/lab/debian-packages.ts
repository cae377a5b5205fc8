import { existsSync } from "node:fs";

/** Debian's Chromium, undefined where it is not installed. */
export const chromiumPath: string | undefined = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) =>
  existsSync(path),
);

/** What tests need besides the modules: what is left out without it, and the command that brings it. */
export const leftOut = (): string[] =>
  chromiumPath === undefined
    ? [
        "Left out: the dashboard in a real Chromium (test/lab/dashboard.test.ts). To include it: apt-get install -y chromium",
      ]
    : [];
