/** What Table III and its fit have of one policy at one bandwidth. */
export interface PaperRow {
  readonly policy: string;
  readonly bandwidthHertz: number;
  readonly paper: PaperNumbers & { readonly rewardPerEpoch: number };
  /** The paper's heuristics as the preset `paper` was fitted to them; a simulator of the same rules gives these. */
  readonly fit?: PaperNumbers;
}

export interface PaperNumbers {
  readonly successRatio: number;
  readonly energyJoules: number;
  readonly waitingSeconds: number;
}

/** How far a simulation may be from the fit: the fit's own spread over 600 device-epochs. */
export const fitTolerance = { successRatio: 0.02, energyRelative: 0.03, waitingSeconds: 0.03 } as const;

type Numbers = readonly [successRatio: number, energyJoules: number, waitingSeconds: number];

const numbers = ([successRatio, energyJoules, waitingSeconds]: Numbers): PaperNumbers => ({
  successRatio,
  energyJoules,
  waitingSeconds,
});

const row = (policy: string, megahertz: number, reward: number, paper: Numbers, fit?: Numbers): PaperRow => ({
  policy,
  bandwidthHertz: megahertz * 1e6,
  paper: { rewardPerEpoch: reward, ...numbers(paper) },
  ...(fit === undefined ? {} : { fit: numbers(fit) }),
});

const localFit: Numbers = [0.385, 9.68, 0.785];

/** Table III. */
export const paperTable: readonly PaperRow[] = [
  row("local", 5, -1535.33, [0.43, 10.47, 0.84], localFit),
  row("edge", 5, -2918.37, [0.19, 59.12, 1.21], [0.171, 65.08, 1.21]),
  row("greedy", 5, -940.16, [0.65, 45.56, 0.6], [0.626, 43.48, 0.566]),
  row("dqn", 5, -675.71, [0.77, 39.15, 0.39]),
  row("ddpg", 5, -522.52, [0.81, 35.2, 0.36]),
  row("td3", 5, -489.75, [0.83, 32.51, 0.32]),
  row("mcf-td3", 5, -477.34, [0.85, 34, 0.3]),
  row("pfr-oa", 5, -446.23, [0.87, 31.47, 0.26]),
  row("local", 15, -1535.35, [0.43, 10.47, 0.84], localFit),
  row("edge", 15, -1946.38, [0.27, 58.36, 1.07], [0.419, 62.87, 0.945]),
  row("greedy", 15, -871.12, [0.73, 45, 0.48], [0.816, 39.81, 0.418]),
  row("dqn", 15, -610.26, [0.78, 37.93, 0.37]),
  row("ddpg", 15, -414.15, [0.83, 33.45, 0.34]),
  row("td3", 15, -369.24, [0.86, 31.96, 0.22]),
  row("mcf-td3", 15, -331.53, [0.88, 30.74, 0.22]),
  row("pfr-oa", 15, -305.82, [0.9, 27.58, 0.19]),
  row("local", 25, -1535.32, [0.43, 10.47, 0.84], localFit),
  row("edge", 25, -1645.64, [0.38, 55.24, 0.9], [0.402, 62.62, 0.805]),
  row("greedy", 25, -680.04, [0.78, 42.04, 0.43], [0.827, 39.94, 0.374]),
  row("dqn", 25, -533.62, [0.83, 36.63, 0.35]),
  row("ddpg", 25, -374.31, [0.87, 30.81, 0.31]),
  row("td3", 25, -333.45, [0.89, 29, 0.2]),
  row("mcf-td3", 25, -312.83, [0.89, 29.35, 0.2]),
  row("pfr-oa", 25, -285.69, [0.92, 26.62, 0.19]),
];
