import { expect, it } from "vitest";
import { orderedPolicies, policyOrder, policyStyle } from "./policy-styles.ts";

it("no two policies look alike, not even in black and white", () => {
  const styles = policyOrder.map(policyStyle);
  for (const of of [
    (index: number) => styles[index]?.colour,
    (index: number) => `${styles[index]?.shape} ${styles[index]?.filled}`,
    (index: number) => String(styles[index]?.dash),
  ]) {
    expect(new Set(styles.map((_, index) => of(index))).size).toBe(styles.length);
  }
});

it("orders policies alike in every figure, and takes others as they come", () => {
  expect(orderedPolicies(["pfr-oa", "mine", "edge", "local", "edge"])).toEqual(["local", "edge", "pfr-oa", "mine"]);
  expect(policyStyle("mcf-td3").name).toBe("MCF-TD3");
  expect(policyStyle("mine").name).toBe("mine");
});
