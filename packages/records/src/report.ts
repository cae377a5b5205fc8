// What draws: apart from the rest, for its libraries are large.
export { writeSweepReport } from "./sweep-report.ts";
