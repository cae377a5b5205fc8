import fc from "fast-check";
import { Type } from "typebox";
import { expect, it } from "vitest";
import { Failure } from "./failure.ts";
import { parseJson, readerOf } from "./schema.ts";

const read = readerOf(
  Type.Object(
    {
      count: Type.Integer({ minimum: 0 }),
      inner: Type.Optional(Type.Object({ share: Type.Number() })),
      by: Type.Optional(Type.Record(Type.String(), Type.Number())),
    },
    { additionalProperties: false },
  ),
  "config/invalid",
);

const failureOf = (act: () => unknown): Failure => {
  try {
    act();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  return expect.fail("was accepted");
};

it("a value that fits is given back as it is", () => {
  const value = { count: 1, inner: { share: 0.5 } };
  expect(read(value, "file")).toBe(value);
});

it.each([
  [{ count: -1 }, "lab.yaml: `count` must be >= 0, got -1"],
  [{ count: 1, inner: { share: "half" } }, 'lab.yaml: `inner/share` must be number, got "half"'],
  [{ count: 1, by: { "a/b~c": null } }, "lab.yaml: `by/a/b~c` must be number, got null"],
  [{ count: 1, cuont: 2 }, "lab.yaml: `cuont` must not be there, got 2"],
  [{ inner: { share: 1 } }, 'lab.yaml: the value must have required properties count, got {"inner":{"share":1}}'],
  [undefined, "lab.yaml: the value must be object, got nothing"],
])("%j is refused with place, rule and value", (value, message) => {
  const failure = failureOf(() => read(value, "lab.yaml"));
  expect(failure.message).toBe(message);
  expect(failure.code).toBe("config/invalid");
});

it("a long value is cut in the message", () => {
  expect(failureOf(() => read("x".repeat(10_000), "w")).message.length).toBeLessThan(150);
});

it("a value nested deeper than the stack is refused like any other", () => {
  const deep = parseJson(`${"[".repeat(200_000)}${"]".repeat(200_000)}`, "w");
  expect(failureOf(() => read(deep, "w")).code).toBe("config/invalid");
  expect(failureOf(() => read({ count: deep }, "w")).message).toContain("`count` must be integer");
});

it("any value is either accepted or refused with a Failure", () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withMap: true }), (value) => {
      try {
        read(value, "w");
      } catch (error) {
        expect(error).toBeInstanceOf(Failure);
      }
    }),
    { numRuns: 500 },
  );
});

it("text that is not JSON is malformed, with the parser's message as the cause", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(parseJson(text, "w")).toEqual(JSON.parse(text));
    }),
  );
  for (const text of ["", "{", "{'a':1}", "1 2", "NaN"]) {
    const failure = failureOf(() => parseJson(text, "message"));
    expect(failure.code).toBe("wire/malformed");
    expect(failure.message).toMatch(/^message: expected JSON, /);
    expect(failure.cause).toBeInstanceOf(SyntaxError);
  }
});
