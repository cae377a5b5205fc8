// What draws: apart from the rest, for its libraries are large.
export { loopAxes } from "./loop-axes.ts";
export { sweepFigures, writeSweepReport } from "./sweep-report.ts";
