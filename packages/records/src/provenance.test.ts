import { expect, it } from "vitest";
import { provenanceLine } from "./provenance.ts";
import { provenance, provenanceText } from "./sweep-rows.test-helper.ts";

it("names sweep, commit, seed and trials", () => expect(provenanceLine(provenance)).toBe(provenanceText));

it("stays one line, so that a comment ends where it should", () => {
  expect(provenanceLine({ ...provenance, sweep: "two\nlines", trials: 1 })).toBe(
    "sweep two lines, commit 1a2b3c4, seed 5, 1 trial",
  );
});
