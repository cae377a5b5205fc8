/** What every learner is given; each adds its own. */
export interface LearnerSettings {
  /** Units of each hidden layer, at least 1. */
  readonly hidden: number;
  /** Whether rows know of each other: `set` networks. */
  readonly pooled: boolean;
  /** γ, [0, 1): 0 sees the instant reward only. */
  readonly discount: number;
  /** τ, above 0. */
  readonly learningRate: number;
  /** ρ, [0, 1]: 0 keeps the target networks, 1 copies the trained ones into them. */
  readonly targetShare: number;
  /** N, transitions of an update, at least 1. */
  readonly batchSize: number;
  /** Transitions that are remembered, at least 1: then the oldest is forgotten with each new one. */
  readonly bufferCapacity: number;
}

/** Which values a number may have. */
export interface Bounds {
  readonly holds: (value: number) => boolean;
  readonly expected: string;
}

export const counts: Bounds = {
  holds: (value) => Number.isSafeInteger(value) && value >= 1,
  expected: "an integer of at least 1",
};
export const shares: Bounds = { holds: (value) => value >= 0 && value <= 1, expected: "a value in [0, 1]" };
export const sizes: Bounds = {
  holds: (value) => value >= 0 && Number.isFinite(value),
  expected: "a value of at least 0",
};

/**
 * Asserts that settings are what their docstrings say.
 *
 * @param bounds of what a learner adds to `LearnerSettings`
 * @throws RangeError naming the setting
 */
export const checkSettings = <S extends LearnerSettings>(
  settings: S,
  bounds: Readonly<Partial<Record<keyof S & string, Bounds>>>,
): void => {
  const all: Readonly<Record<string, Bounds | undefined>> = { ...learnerBounds, ...bounds };
  for (const [name, bound] of Object.entries(all)) {
    const value = settings[name as keyof S] as number;
    if (bound !== undefined && !bound.holds(value)) {
      throw new RangeError(`\`${name}\`: expected ${bound.expected}, got ${value}`);
    }
  }
};

const learnerBounds: Readonly<Partial<Record<keyof LearnerSettings, Bounds>>> = {
  hidden: counts,
  discount: { holds: (value) => value >= 0 && value < 1, expected: "a value in [0, 1)" },
  learningRate: { holds: (value) => value > 0 && Number.isFinite(value), expected: "a value above 0" },
  targetShare: shares,
  batchSize: counts,
  bufferCapacity: counts,
};
