// What draws: apart from the rest, for its libraries are large.
export { type CurvePanel, curveFigure } from "./figures/curve-figure.ts";
export { orderedPolicies, type PolicyStyle, valueStyle } from "./figures/policy-styles.ts";
export { rewardFigure } from "./figures/reward-figure.ts";
export { writeFigure, writeSweepReport } from "./sweep-report.ts";
