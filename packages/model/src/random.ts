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
  const hash = new LabelHash();
  hash.absorb(seed);
  for (const label of labels) hash.absorb(label);
  return new SmallFastChaotic(hash);
};

/** Hashes labels to four words: MurmurHash3's mixing, one multiplier for each word. */
class LabelHash {
  private a = 0x9e3779b9 | 0;
  private b = 0x243f6a88 | 0;
  private c = 0xb7e15162 | 0;
  private d = 0xdeadbeef | 0;

  /** What kind of label and how long comes first, so that no two lists of labels are absorbed alike. */
  absorb(label: string | number): void {
    if (typeof label === "number" && Number.isSafeInteger(label)) {
      this.mix(1);
      this.mix(label | 0);
      this.mix(Math.floor(label / 2 ** 32) | 0);
      return;
    }
    const text = String(label);
    this.mix(typeof label === "number" ? 2 : 3);
    this.mix(text.length);
    for (let i = 0; i < text.length; i++) this.mix(text.charCodeAt(i));
  }

  get words(): readonly [number, number, number, number] {
    return [finish(this.a), finish(this.b), finish(this.c), finish(this.d)];
  }

  private mix(word: number): void {
    this.a = rotated(Math.imul(this.a ^ word, 0xcc9e2d51));
    this.b = rotated(Math.imul(this.b ^ word, 0x1b873593));
    this.c = rotated(Math.imul(this.c ^ word, 0x85ebca6b));
    this.d = rotated(Math.imul(this.d ^ word, 0xc2b2ae35));
  }
}

const rotated = (word: number): number => (word << 13) | (word >>> 19);

/** MurmurHash3's last step: every bit of the input reaches every bit of the output. */
const finish = (word: number): number => {
  const first = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35);
  return second ^ (second >>> 16);
};

const largestPart = 16;

/** Chris Doty-Humphrey's sfc32 (PractRand 0.94): 32-bit words with a period of at least 2^32. */
class SmallFastChaotic implements RandomStream {
  // `private`, not `#`: names with `#` take longer, and every arrival of a simulation is drawn here.
  private a: number;
  private b: number;
  private c: number;
  private counter: number;
  /** The mean of the last Poisson draw with its e^-mean: a stream mostly draws with one mean. */
  private mean = 0;
  private noEvent = 1;

  constructor(hash: LabelHash) {
    [this.a, this.b, this.c, this.counter] = hash.words;
    // The author's seeding takes fifteen words, for the first ones still show the seed; a sixteenth does no harm.
    for (let i = 0; i < 8; i++) this.fraction();
  }

  uniform(low = 0, high = 1): number {
    return low + this.fraction() * (high - low);
  }

  integer(limit: number): number {
    return Math.floor(this.uniform() * limit);
  }

  poisson(mean: number): number {
    if (!(mean >= 0 && Number.isFinite(mean))) throw new RangeError(`Expected a mean of at least 0, got ${mean}`);
    let events = 0;
    let rest = mean;
    // Sums of Poisson draws are Poisson; in parts, e^-mean does not underflow.
    for (; rest > largestPart; rest -= largestPart) events += this.poissonOf(largestPart);
    return events + this.poissonOf(rest);
  }

  /** Inverts the cumulative distribution of a Poisson with a small mean. */
  private poissonOf(mean: number): number {
    if (mean !== this.mean) {
      this.mean = mean;
      this.noEvent = 1 / exponential(mean);
    }
    const level = this.fraction();
    let probability = this.noEvent;
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
  }

  /** In [0, 1), from two words: 27 + 26 bits fill the 53 of a double, so every value is a multiple of 2^-53. */
  private fraction(): number {
    const { a, b, c, counter } = this;
    const first = (((a + b) | 0) + counter) | 0;
    const nextA = b ^ (b >>> 9);
    const nextB = (c + (c << 3)) | 0;
    const nextC = (((c << 21) | (c >>> 11)) + first) | 0;
    const second = (((nextA + nextB) | 0) + ((counter + 1) | 0)) | 0;
    this.counter = (counter + 2) | 0;
    this.a = nextB ^ (nextB >>> 9);
    this.b = (nextC + (nextC << 3)) | 0;
    this.c = (((nextC << 21) | (nextC >>> 11)) + second) | 0;
    return ((first >>> 5) * 0x4000000 + (second >>> 6)) / 0x20000000000000;
  }
}

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
