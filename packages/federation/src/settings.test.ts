import { type Count, count, type Ratio } from "@offloadlab/units";
import { expect, it } from "vitest";
import { checkFederationSettings, mcfTd3, participantCountOf, pfrOa } from "./settings.ts";

it("the paper's values are f_q = 0.3 and f_p = 50, and λ starts at 0", () => {
  expect(pfrOa).toMatchObject({ globalShare: 0.3, federateEvery: 50, proximal: { start: 0 } });
});

it("MCF-TD3 averages all, takes all over and holds nothing back", () => {
  expect(mcfTd3).toMatchObject({ globalShare: 1, proximal: { start: 0, step: 0 } });
  for (const m of [1, 3, 30]) expect(participantCountOf(mcfTd3, m)).toBe(m);
});

it("the presets fit three communities", () => {
  for (const settings of [pfrOa, mcfTd3]) expect(() => checkFederationSettings(settings, 3)).not.toThrow();
});

it.each([
  [{ participantCount: count(4) }, "`participantCount`: expected a value from 1 to 3, got 4"],
  [{ participantCount: count(0) }, "`participantCount`"],
  [{ greedyProbability: 1.5 as Ratio }, "`greedyProbability`: expected a value in [0, 1], got 1.5"],
  [{ globalShare: -0.1 as Ratio }, "`globalShare`"],
  [{ federateEvery: count(0) }, "`federateEvery`: expected a value of at least 1, got 0"],
  [{ proximal: { ...pfrOa.proximal, start: Number.NaN } }, "`proximal.start`"],
  [{ proximal: { ...pfrOa.proximal, step: -0.1 } }, "`proximal.step`"],
  [{ proximal: { ...pfrOa.proximal, calmRounds: 0.5 as Count } }, "`proximal.calmRounds`"],
])("refuses %j", (change, message) => {
  expect(() => checkFederationSettings({ ...pfrOa, ...change }, 3)).toThrow(message);
});
