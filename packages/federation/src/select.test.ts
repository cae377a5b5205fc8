import { type RandomStream, randomStream } from "@offloadlab/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { selectParticipants } from "./select.ts";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const probability = fc.double({ min: 0, max: 1, noNaN: true });
/** Losses of m communities and a V that fits. */
const rounds = (loss: fc.Arbitrary<number>) =>
  fc
    .array(loss, { minLength: 1, maxLength: 12 })
    .chain((losses) => fc.record({ losses: fc.constant(losses), v: fc.integer({ min: 1, max: losses.length }) }));

/** A stream that yields what it is told. */
const scripted = (...draws: number[]): RandomStream => {
  const next = (): number => {
    const draw = draws.shift();
    if (draw === undefined) throw new RangeError("no draw left");
    return draw;
  };
  return { uniform: next, integer: next, poisson: next };
};

const ascending = (a: number, b: number): number => a - b;

describe("Algorithm 2, lines 6-13", () => {
  it("selects the V lowest losses with ε = 1, the best first", () => {
    fc.assert(
      fc.property(rounds(finite), fc.integer(), ({ losses, v }, seed) => {
        const selected = selectParticipants(losses, v, 1, randomStream(seed));
        const lowest = [...losses].sort(ascending).slice(0, v);
        expect(selected.map((community) => (losses[community] as number) + 0)).toEqual(lowest.map((loss) => loss + 0));
      }),
    );
  });

  it("selects V different communities, whatever ε", () => {
    fc.assert(
      fc.property(rounds(finite), probability, fc.integer(), ({ losses, v }, epsilon, seed) => {
        const selected = selectParticipants(losses, v, epsilon, randomStream(seed));
        expect(selected).toHaveLength(v);
        expect(new Set(selected).size).toBe(v);
        expect(selected.every((community) => community in losses)).toBe(true);
      }),
    );
  });

  it("selects all with V = m, whatever ε", () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1 }), probability, fc.integer(), (losses, epsilon, seed) => {
        const selected = selectParticipants(losses, losses.length, epsilon, randomStream(seed));
        expect(selected.sort(ascending)).toEqual(losses.map((_, community) => community));
      }),
    );
  });

  it("is the same for the same seed", () => {
    fc.assert(
      fc.property(rounds(finite), probability, fc.integer(), ({ losses, v }, epsilon, seed) => {
        const select = () => selectParticipants(losses, v, epsilon, randomStream(seed));
        expect(select()).toEqual(select());
      }),
    );
  });

  it("never selects a model whose loss is not finite", () => {
    fc.assert(
      fc.property(rounds(fc.double()), probability, fc.integer(), ({ losses, v }, epsilon, seed) => {
        const selected = selectParticipants(losses, v, epsilon, randomStream(seed));
        expect(selected.every((community) => Number.isFinite(losses[community]))).toBe(true);
        expect(selected).toHaveLength(Math.min(v, losses.filter(Number.isFinite).length));
      }),
    );
  });

  it("takes the v-th best on exploit, after a random pick too", () => {
    // Explores the last of three, then exploits: the second best, not the best that is left.
    expect(selectParticipants([1, 2, 3], 2, 0.8, scripted(0.9, 2, 0.1))).toEqual([2, 1]);
  });

  it("takes the best that is left when the v-th best is in", () => {
    expect(selectParticipants([1, 2, 3], 2, 0.8, scripted(0.9, 1, 0.1))).toEqual([1, 0]);
  });

  it("exploits below ε only", () => {
    expect(selectParticipants([1, 2, 3], 1, 0.8, scripted(0.79))).toEqual([0]);
    expect(selectParticipants([1, 2, 3], 1, 0.8, scripted(0.8, 2))).toEqual([2]);
  });

  it("selects everyone equally often with ε = 0", () => {
    const losses = [5, 1, 4, 2, 3];
    const size = 5000;
    const counts = losses.map(() => 0);
    for (let round = 0; round < size; round++) {
      for (const community of selectParticipants(losses, 2, 0, randomStream(1, round))) {
        counts[community] = (counts[community] as number) + 1;
      }
    }
    // Four standard errors of a probability of 2/5.
    for (const count of counts) expect(Math.abs(count / size - 0.4)).toBeLessThan(4 * Math.sqrt(0.24 / size));
  });

  it("lets the worst of three in as often as ε = 0.8 says", () => {
    const size = 5000;
    let worst = 0;
    for (let round = 0; round < size; round++) {
      if (selectParticipants([1, 2, 3], 2, 0.8, randomStream(2, round)).includes(2)) worst++;
    }
    // First one of three at random, else one of two: 0.2/3 + (1 − 0.2/3) · 0.2/2.
    const expected = 0.2 / 3 + (1 - 0.2 / 3) * 0.1;
    expect(Math.abs(worst / size - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / size));
  });

  it("refuses a V outside 1 to m", () => {
    for (const v of [0, 4, 1.5, Number.NaN]) {
      expect(() => selectParticipants([1, 2, 3], v, 1, scripted())).toThrow("Expected 1 to 3 participants");
    }
  });

  it("to the letter, picks any of the first V, and one that is picked again is in Z_r once", () => {
    const losses = [3, 1, 2, Number.NaN];
    // Exploits twice: the second best, and again; then explores: the worst of those that have not diverged.
    const again = scripted(0, 1, 0, 1);
    expect(selectParticipants(losses, 2, 0.5, again, "repeated")).toEqual([2]);
    const explores = scripted(0, 0, 0.9, 2);
    expect(selectParticipants(losses, 2, 0.5, explores, "repeated")).toEqual([1, 0]);
    expect(selectParticipants([Number.NaN], 1, 1, scripted(), "repeated")).toEqual([]);
  });
});
