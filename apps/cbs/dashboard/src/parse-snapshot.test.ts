import { expect, it } from "vitest";
import { parseSnapshot } from "./parse-snapshot.ts";
import { snapshot } from "./sample.ts";

it("reads what the C-BS sends", () => {
  expect(parseSnapshot(JSON.stringify(snapshot()))).toEqual(snapshot());
});

it("ignores what is not a snapshot", () => {
  expect(["{", "null", "[]", '{"run":null}', 7].map(parseSnapshot)).toEqual([null, null, null, null, null]);
});
