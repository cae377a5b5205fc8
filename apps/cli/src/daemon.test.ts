import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeOptions } from "./daemon.ts";

test("a rehearsal's daemons run with the options of the boards' unit", () => {
  const unit = join(import.meta.dirname, "../../../ansible/roles/daemon/templates/offload.service");
  expect(readFileSync(unit, "utf8")).toContain(`/bin/node ${nodeOptions.join(" ")} `);
});
