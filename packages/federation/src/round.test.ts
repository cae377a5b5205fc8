import { count, ratio } from "@offloadlab/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import { aggregate } from "./aggregate.ts";
import { mixWeights } from "./mix.ts";
import { bitsOfWeights, models } from "./random-models.test-helper.ts";
import { type FederationState, initialFederation, planRound, type RoundPlan, type RoundReport } from "./round.ts";
import { type FederationSettings, mcfTd3, pfrOa } from "./settings.ts";
import type { Weights } from "./weights.ts";

const networks = ["actor", "critic"];

const reportsOf = (rankingLosses: readonly number[], loss = 1): RoundReport[] =>
  rankingLosses.map((rankingLoss, community) => ({ community, rankingLoss, losses: { actor: loss, critic: loss } }));

/** What a station and its communities make of a plan. */
const carryOut = (plan: RoundPlan, weights: readonly Weights[]): Weights[] => {
  if (plan.participants.length === 0) return [...weights];
  const global = aggregate(
    plan.participants.map((community) => ({ community, weights: weights[community] as Weights })),
  );
  return plan.communities.map(({ community, globalShare }) =>
    mixWeights(weights[community] as Weights, global, globalShare),
  );
};

const plansOf = (rounds: readonly (readonly number[])[], settings: FederationSettings, seed = 1): RoundPlan[] => {
  let state: FederationState = initialFederation(rounds[0]?.length ?? 0, networks, settings);
  return rounds.map((losses, i) => {
    const plan = planRound(reportsOf(losses), settings, i + 1, seed, state);
    state = plan.state;
    return plan;
  });
};

const losses = (size: number, loss = fc.double({ min: 0, max: 100, noNaN: true })) =>
  fc.array(loss, { minLength: size, maxLength: size });

it("with λ = 0, V = m and f_q = 1 a round is federated averaging, bit for bit", () => {
  fc.assert(
    fc.property(models(1, 6), fc.infiniteStream(fc.double({ noNaN: true, noDefaultInfinity: true })), (drawn, loss) => {
      const rankingLosses = drawn.map(() => loss.next().value);
      const [plan] = plansOf([rankingLosses], mcfTd3);
      const after = carryOut(plan as RoundPlan, drawn);
      for (const name of networks) {
        // The plain average: add one model after the other, divide by their number.
        const plain = drawn[0]?.[name]?.map((_, i) => {
          const weights = drawn.map((model) => model[name]?.[i] as number);
          return weights.slice(1).reduce((sum, weight) => sum + weight, weights[0] as number) / drawn.length;
        });
        const expected = bitsOfWeights({ plain: plain as Float32Array })["plain"];
        for (const weights of after) expect(bitsOfWeights(weights)[name]).toEqual(expected);
      }
      for (const { proximalWeights } of plan?.communities ?? [])
        expect(proximalWeights).toEqual({ actor: 0, critic: 0 });
    }),
  );
});

it("MCF-TD3 stays federated averaging when losses rise", () => {
  let state = initialFederation(3, networks, mcfTd3);
  for (let round = 1; round <= 10; round++) {
    const plan = planRound(reportsOf([3, 2, 1], round), mcfTd3, round, 1, state);
    expect(plan.participants).toEqual([0, 1, 2]);
    for (const { globalShare, proximalWeights } of plan.communities) {
      expect({ globalShare, proximalWeights }).toEqual({ globalShare: 1, proximalWeights: { actor: 0, critic: 0 } });
    }
    state = plan.state;
  }
});

it("PFR-OA averages two of three, and everyone mixes them in", () => {
  const plan = plansOf([[3, 1, 2]], { ...pfrOa, greedyProbability: ratio(1) })[0] as RoundPlan;
  expect(plan.participants).toEqual([1, 2]);
  const constant = (value: number): Weights => ({
    actor: new Float32Array([value]),
    critic: new Float32Array([value]),
  });
  const after = carryOut(plan, [constant(0), constant(10), constant(20)]);
  // 0.3 · (10 + 20) / 2 and 0.7 of their own.
  expect(after.map((weights) => weights["actor"]?.[0])).toEqual([4.5, 11.5, 18.5]);
});

it("f_q = 0 leaves every community alone", () => {
  fc.assert(
    fc.property(models(3, 3), losses(3), (drawn, rankingLosses) => {
      const plan = plansOf([rankingLosses], { ...pfrOa, globalShare: ratio(0) })[0] as RoundPlan;
      expect(carryOut(plan, drawn).map(bitsOfWeights)).toEqual(drawn.map(bitsOfWeights));
    }),
  );
});

it("selections are counted: V in each round", () => {
  fc.assert(
    fc.property(fc.array(losses(5), { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 5 }), (rounds, v) => {
      const plans = plansOf(rounds, { ...pfrOa, participantCount: count(v) });
      const counts = plans.at(-1)?.state.selectionCounts ?? [];
      expect(counts.reduce((sum, selected) => sum + selected, 0)).toBe(v * rounds.length);
      counts.forEach((selected, community) => {
        expect(plans.filter(({ participants }) => participants.includes(community))).toHaveLength(selected);
      });
    }),
  );
});

it("a plan follows from its arguments, and not from the order of the reports", () => {
  const shuffled = losses(4).chain((rankingLosses) =>
    fc.tuple(
      fc.constant(reportsOf(rankingLosses)),
      fc.shuffledSubarray(reportsOf(rankingLosses), { minLength: 4, maxLength: 4 }),
    ),
  );
  fc.assert(
    fc.property(shuffled, fc.nat(1000), fc.integer(), ([reports, other], round, seed) => {
      const state = initialFederation(4, networks, pfrOa);
      const plan = planRound(reports, pfrOa, round, seed, state);
      expect(planRound(other, pfrOa, round, seed, state)).toEqual(plan);
    }),
  );
});

it("rounds draw anew, and so do seeds", () => {
  const random = { ...pfrOa, participantCount: count(3), greedyProbability: ratio(0) };
  const rounds = Array.from({ length: 20 }, () => Array.from({ length: 10 }, (_, i) => i));
  const selections = (seed: number) => plansOf(rounds, random, seed).map(({ participants }) => participants.join());
  expect(new Set(selections(1)).size).toBeGreaterThan(10);
  expect(selections(1)).not.toEqual(selections(2));
});

it("each network of each community has its own λ", () => {
  const settings = { ...pfrOa, participantCount: "all" } as const;
  const report = (community: number, actor: number, critic: number): RoundReport => ({
    community,
    rankingLoss: 1,
    losses: { actor, critic },
  });
  const first = planRound([report(0, 1, 1), report(1, 1, 1)], settings, 1, 1, initialFederation(2, networks, settings));
  const second = planRound([report(0, 2, 1), report(1, 1, 2)], settings, 2, 1, first.state);
  expect(second.communities.map(({ proximalWeights }) => proximalWeights)).toEqual([
    { actor: 0.1, critic: 0 },
    { actor: 0, critic: 0.1 },
  ]);
});

it("a community that has diverged is left out and starts from the global model", () => {
  const rankingLosses = [1, Number.NaN, Number.POSITIVE_INFINITY, 2];
  const plan = plansOf([rankingLosses], { ...pfrOa, participantCount: "all" })[0] as RoundPlan;
  expect(plan.participants).toEqual([0, 3]);
  expect(plan.communities.map(({ startsAnew }) => startsAnew)).toEqual([false, true, true, false]);
  const constant = (value: number): Weights => ({
    actor: new Float32Array([value]),
    critic: new Float32Array([value]),
  });
  const after = carryOut(plan, [1, Number.NaN, Number.NaN, 3].map(constant));
  expect(after[1]?.["actor"]?.[0]).toBe(2);
  expect(after[2]?.["critic"]?.[0]).toBe(2);
});

it("a community without a report is left out, keeps its λ, and mixes like the others", () => {
  const settings = { ...pfrOa, participantCount: "all" } as const;
  const first = planRound(reportsOf([1, 2, 3], 1), settings, 1, 1, initialFederation(3, networks, settings));
  const [one, , three] = reportsOf([1, 2, 3], 2) as [RoundReport, RoundReport, RoundReport];
  const second = planRound([three, one], settings, 2, 1, first.state);
  expect(second.participants).toEqual([0, 2]);
  expect(second.communities.map(({ globalShare, startsAnew }) => ({ globalShare, startsAnew }))).toEqual(
    Array(3).fill({ globalShare: pfrOa.globalShare, startsAnew: false }),
  );
  expect(second.communities.map(({ proximalWeights }) => proximalWeights["actor"])).toEqual([0.1, 0, 0.1]);
  expect(second.state.proximal[1]).toEqual(first.state.proximal[1]);
  expect(second.state.selectionCounts).toEqual([2, 1, 2]);
});

it("without any report there is nothing to average", () => {
  const state = initialFederation(3, networks, pfrOa);
  expect(planRound([], pfrOa, 1, 1, state)).toMatchObject({ participants: [], state });
});

it("when all have diverged there is nothing to average or to take over", () => {
  const plan = plansOf([[Number.NaN, Number.NaN]], mcfTd3)[0] as RoundPlan;
  expect(plan.participants).toEqual([]);
  expect(plan.communities.map(({ globalShare }) => globalShare)).toEqual([0, 0]);
  expect(plan.state.selectionCounts).toEqual([0, 0]);
});

it("rounds that go on from a stored state are those that were never interrupted", () => {
  const rounds = Array.from({ length: 6 }, (_, round) => [round % 3, 1, round % 2]);
  const plans = plansOf(rounds, pfrOa);
  const start = initialFederation(3, networks, pfrOa);
  const stored = (state: FederationState): FederationState => JSON.parse(JSON.stringify(state));
  const resumed = rounds.map((rankingLosses, i) =>
    planRound(reportsOf(rankingLosses), pfrOa, i + 1, 1, stored(plans[i - 1]?.state ?? start)),
  );
  expect(resumed).toEqual(plans);
});

it("refuses reports and settings that do not fit", () => {
  const state = initialFederation(3, networks, pfrOa);
  const plan = (reports: readonly RoundReport[], settings: FederationSettings = pfrOa) =>
    planRound(reports, settings, 1, 1, state);
  const [first, second, third] = reportsOf([1, 2, 3]) as [RoundReport, RoundReport, RoundReport];
  expect(() => plan([first, second, second])).toThrow(
    "Expected at most one report of each community from 0 to 2, got 0, 1, 1",
  );
  expect(() => plan([first, { ...second, community: 3 }])).toThrow("got 0, 3");
  expect(() => plan([first, second, { ...third, losses: { actor: 1 } }])).toThrow(
    "Expected a loss of `critic` (community 2), got none",
  );
  expect(() => plan([first, second, third], { ...pfrOa, participantCount: count(4) })).toThrow("`participantCount`");
});

it("where targets begin anew after a round, all communities' do, once there is a global model", () => {
  const settings = { ...pfrOa, targets: "restarted" } as const;
  const plan = planRound(reportsOf([1, 2, 3], 1), settings, 1, 1, initialFederation(3, networks, settings));
  expect(plan.communities.map(({ startsAnew, globalShare }) => [startsAnew, globalShare])).toEqual(
    Array(3).fill([true, pfrOa.globalShare]),
  );
});
