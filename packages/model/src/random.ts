/**
 * Draws of one stream. The same seed and labels give the same draws on every machine: integer arithmetic, and of the
 * floating point only the operations that IEEE 754 rounds exactly.
 */
export interface RandomStream {
  /** Uniform between `low` and `high`; in [0, 1) without them. */
  uniform(low?: number, high?: number): number;
  /** Uniform over the integers from 0 to `limit` − 1. */
  integer(limit: number): number;
  /** Poisson with the given mean. */
  poisson(mean: number): number;
}

/**
 * Opens the stream that a seed and labels name; streams whose labels differ are independent.
 *
 * The labels keep a draw where it is when other draws are added elsewhere: a device more does not change the others.
 *
 * @param labels `1` and `"1"` are different labels
 */
export const randomStream = (seed: number, ...labels: readonly (string | number)[]): RandomStream => {
  const nextWord = smallFastChaotic(hash(JSON.stringify([seed, ...labels])));

  const uniform = (low = 0, high = 1): number => {
    // 27 + 26 bits fill the 53 of a double, so every value is a multiple of 2^-53.
    const fraction = ((nextWord() >>> 5) * 0x4000000 + (nextWord() >>> 6)) / 0x20000000000000;
    return low + fraction * (high - low);
  };

  return {
    uniform,
    integer: (limit) => Math.floor(uniform() * limit),
    poisson: (mean) => {
      if (!(mean >= 0 && Number.isFinite(mean))) throw new RangeError(`Expected a mean of at least 0, got ${mean}`);
      let events = 0;
      let rest = mean;
      // Sums of Poisson draws are Poisson; in parts, e^-mean does not underflow.
      for (; rest > largestPart; rest -= largestPart) events += poissonPart(uniform(), largestPart);
      return events + poissonPart(uniform(), rest);
    },
  };
};

const largestPart = 16;

/** Inverts the cumulative distribution of a Poisson with a small mean at `level`. */
const poissonPart = (level: number, mean: number): number => {
  let probability = 1 / exponential(mean);
  let cumulative = probability;
  let events = 0;
  while (level >= cumulative) {
    events++;
    probability *= mean / events;
    // Rounding may keep the sum below the highest levels: stop where a further term no longer adds anything.
    if (cumulative + probability === cumulative) break;
    cumulative += probability;
  }
  return events;
};

/** e^x for small x ≥ 0 by its series: `Math.exp` may differ between engines in the last bit. */
const exponential = (x: number): number => {
  let sum = 1;
  let term = 1;
  for (let n = 1; sum + term !== sum || n <= x; n++) {
    term *= x / n;
    sum += term;
  }
  return sum;
};

type Words = readonly [number, number, number, number];

/** Hashes a text to four words: MurmurHash3's mixing, one multiplier for each word. */
const hash = (text: string): Words => {
  const words: [number, number, number, number] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0xdeadbeef];
  const multipliers = [0xcc9e2d51, 0x1b873593, 0x85ebca6b, 0xc2b2ae35] as const;
  for (let i = 0; i < text.length; i++) {
    for (let w = 0; w < 4; w++) {
      const mixed = Math.imul((words[w] as number) ^ text.charCodeAt(i), multipliers[w] as number);
      words[w] = (mixed << 13) | (mixed >>> 19);
    }
  }
  return [finish(words[0]), finish(words[1]), finish(words[2]), finish(words[3])];
};

/** MurmurHash3's last step: every bit of the input reaches every bit of the output. */
const finish = (word: number): number => {
  const first = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return second ^ (second >>> 16);
};

/** Chris Doty-Humphrey's sfc32 (PractRand 0.94): 32-bit words with a period of at least 2^32. */
const smallFastChaotic = ([first, second, third, fourth]: Words): (() => number) => {
  let a = first | 0;
  let b = second | 0;
  let c = third | 0;
  let counter = fourth | 0;
  const next = (): number => {
    const word = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + word) | 0;
    return word >>> 0;
  };
  // The author's seeding: the first words still show the seed.
  for (let i = 0; i < 15; i++) next();
  return next;
};
