import { encodeSafetensors } from "@offloadlab/learning";
import { contentDigest } from "@offloadlab/records";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Failure } from "./failure.ts";
import type { UpdateReport } from "./federation-messages.ts";
import { checkDigest, decodeUpdate, decodeWeights, encodeUpdate, largestWeights } from "./weights-message.ts";

const shapes = { actor: 3, critic: 2 };
const weights = { critic: Float32Array.of(4, 5), actor: Float32Array.of(1, -0, 3e-40) };
const report: UpdateReport = {
  run: "r",
  policy: "pfr-oa",
  round: 3,
  updates: 7,
  meanAbsoluteReward: 0.5,
  losses: { actor: -1, critic: null },
  diverged: false,
};
const codeOf = (action: () => unknown): string => {
  try {
    action();
  } catch (error) {
    return error instanceof Failure ? `${error.code}: ${error.message}` : `not a failure: ${String(error)}`;
  }
  return "none";
};

it("reads what was sent, bit for bit", () => {
  const { report: read, weights: got } = decodeUpdate(encodeUpdate({ report, weights }), shapes, "update");
  expect(read).toEqual(report);
  for (const name of ["actor", "critic"] as const) {
    expect(new Uint32Array(got[name]?.buffer as ArrayBuffer)).toEqual(new Uint32Array(weights[name].buffer));
  }
});

it("names digests as RFC 9530 does", () => {
  // The example of RFC 9530, appendix A.
  const bytes = new TextEncoder().encode('{"hello": "world"}\n');
  const digest = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
  expect(contentDigest(bytes)).toBe(digest);
  expect(() => checkDigest(bytes, digest, "update")).not.toThrow();
  expect(codeOf(() => checkDigest(bytes.subarray(1), digest, "update"))).toMatch(/^update\/digest: update: expected/);
  expect(codeOf(() => checkDigest(bytes, undefined, "update"))).toMatch(/got none$/);
});

it("what fits is not too large", () => {
  expect(encodeUpdate({ report, weights }).length).toBeLessThan(largestWeights(shapes));
});

it("says what is wrong with networks, numbers and reports", () => {
  const decode = (update: Uint8Array) => codeOf(() => decodeUpdate(update, shapes, "update of mec-1"));
  const { actor } = weights;
  expect(decode(encodeUpdate({ report, weights: { actor } }))).toBe(
    "update/shape: update of mec-1: expected the networks actor [3], critic [2], got actor [3]",
  );
  expect(decode(encodeUpdate({ report, weights: { actor, critic: actor } }))).toMatch(/^update\/shape.*critic \[3\]$/);
  expect(decode(encodeUpdate({ report, weights: { actor, critic: Float32Array.of(1, Number.NaN) } }))).toBe(
    "update/not-finite: update of mec-1: expected finite weights, got NaN in `critic` at 1",
  );
  expect(decode(encodeSafetensors({ tensors: weights, metadata: {} }))).toMatch(/^wire\/malformed/);
  const negative = { ...report, updates: -1 };
  expect(decode(encodeUpdate({ report: negative, weights }))).toMatch(/^wire\/malformed: .*`updates`/);
  expect(codeOf(() => decodeWeights(Uint8Array.of(1, 2), shapes, "global model"))).toMatch(/^wire\/malformed/);
});

it("a learner that has diverged sends no weights", () => {
  const diverged = { ...report, diverged: true };
  expect(decodeUpdate(encodeUpdate({ report: diverged, weights: {} }), shapes, "update").report.diverged).toBe(true);
  expect(codeOf(() => decodeUpdate(encodeUpdate({ report: diverged, weights }), shapes, "update"))).toMatch(/shape/);
});

it("of noise and of damaged updates, nothing is thrown but failures", () => {
  const sound = encodeUpdate({ report, weights });
  const damaged = fc.tuple(fc.nat(sound.length - 1), fc.nat(255)).map(([at, value]) => sound.with(at, value));
  fc.assert(
    fc.property(
      fc.oneof(
        damaged,
        fc.uint8Array(),
        fc.nat(sound.length).map((n) => sound.subarray(0, n)),
      ),
      (bytes) => {
        expect(codeOf(() => decodeUpdate(bytes, shapes, "update"))).not.toMatch(/^not a failure/);
      },
    ),
  );
});
