import { formatEstimate } from "../table.ts";
import { alignedLines } from "../text-columns.ts";
import type { CauseRow } from "./cause-rows.ts";
import type { Gap, Measure } from "./gaps.ts";
import type { Spread } from "./measured-latencies.ts";
import type { Cause } from "./origin.ts";
import type { PolicyReplay, Replay } from "./replay.ts";

const measureTexts: Readonly<Record<Measure, { title: string; digits: number }>> = {
  successRatio: { title: "success rate", digits: 3 },
  energyJoules: { title: "energy per task [J]", digits: 2 },
  waitingSeconds: { title: "waiting time [s]", digits: 3 },
  reward: { title: "reward per task", digits: 3 },
};

/** What the journals say at the first difference; where a task's end decided, `late` says how much later it came. */
const causeTexts: Readonly<Record<Cause, string>> = {
  processor: "its processor was free in a sub-slot only here, or only there",
  radio: "its radio was free in a sub-slot only here, or only there",
  deadline: "it met its deadline only here, or only there",
  shares: "another device held shares in a sub-slot only here, or only there",
  report: "its device's report missed the sub-slot",
  answer: "the answer to its device came too late",
  energy: "the measured energy was more, or less, than the battery had",
  lost: "it was lost",
  unknown: "not in the journals",
  timing: "the same course, measured",
};

/** The comparison as text: how far laboratory and simulator are apart, then why. */
export const replayText = ({ latencies, policies }: Replay): string => {
  if (policies.length === 0) return "no trial came to its end: there is nothing to compare";
  const { decisionSeconds, startSeconds, localSeconds, edgeSeconds } = latencies;
  return [
    ...gapLines(policies),
    "",
    "difference: laboratory less simulator, paired by trial; mean ± half width of the 95 % Student-t interval over n trials",
    "left: the difference to a simulator whose tasks take longer by what they took here in the median:",
    `  ${milliseconds(startSeconds)} from the sub-slot's start to the task's; the decision came after ${milliseconds(decisionSeconds)}`,
    `  ${milliseconds(localSeconds)} of a local execution beyond Eq. (4)`,
    `  ${milliseconds(edgeSeconds)} of upload and remote execution beyond Eqs. (2) and (6)`,
    ...policies.flatMap((policy) => ["", ...causeLines(policy)]),
    "",
    "first: tasks that differ by themselves; the others follow from them. late: how much later than by theory the end came",
    "that decided, in the median. What each cause adds to the difference stands to its right.",
  ].join("\n");
};

const gapLines = (policies: readonly PolicyReplay[]): string[] => {
  const lines = alignedLines(
    [
      ["policy", "measure", "laboratory", "simulator", "difference", "limit", "within", "left", "n"],
      ...policies.flatMap(({ policy, gaps }) => gaps.map((gap) => [policy, ...gapCells(gap)])),
    ],
    2,
  );
  const rule = "-".repeat(Math.max(...lines.map((line) => line.length)));
  const [head, ...body] = lines;
  const perPolicy = policies[0]?.gaps.length ?? 1;
  return [
    head as string,
    rule,
    ...body.flatMap((line, index) => (index > 0 && index % perPolicy === 0 ? ["", line] : [line])),
  ];
};

const gapCells = ({
  measure,
  laboratory,
  simulator,
  difference,
  differenceWithLatencies,
  limit,
  isWithin,
}: Gap): string[] => {
  const { title, digits } = measureTexts[measure];
  return [
    title,
    formatEstimate(laboratory, digits),
    formatEstimate(simulator, digits),
    formatEstimate(difference, digits),
    limit === null ? "" : limit.toFixed(digits),
    isWithin === null ? "" : isWithin ? "yes" : "NO",
    formatEstimate(differenceWithLatencies, digits),
    String(difference.n),
  ];
};

/** What the differences of a policy are made of. */
const causeLines = ({ policy, tasks, differing, differingWithLatencies, causes }: PolicyReplay): string[] => [
  `${policy}: ${differing} of ${tasks} tasks go differently, ${differingWithLatencies} with the latencies`,
  ...alignedLines(
    [
      ["  the task", "first", "with what follows", "late", "success", "energy [J]", "waiting [s]", "reward"],
      ...causes.map((row) => causeCells(row)),
    ],
    1,
  ),
];

const causeCells = ({ cause, firsts, tasks, share, lateSeconds }: CauseRow): string[] => [
  `  ${causeTexts[cause]}`,
  cause === "timing" ? "" : String(firsts),
  String(tasks),
  Number.isNaN(lateSeconds) ? "" : `${(1000 * lateSeconds).toFixed(1)} ms`,
  signed(share.successRatio, 4),
  signed(share.energyJoules, 2),
  signed(share.waitingSeconds, 4),
  signed(share.reward, 3),
];

const signed = (value: number, digits: number): string => {
  const text = value.toFixed(digits);
  return Number(text) > 0 ? `+${text}` : Number(text) === 0 ? "0" : text;
};

const milliseconds = ({ median, p95 }: Spread): string =>
  Number.isNaN(median) ? "no time" : `${(1000 * median).toFixed(1)} ms (95th percentile ${(1000 * p95).toFixed(1)} ms)`;
