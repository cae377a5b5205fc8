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

/** What the journals say at the first difference; where a task's end decided, that depends on whether it was late or early. */
const causeTexts: Readonly<Record<Cause, string | { readonly late: string; readonly early: string }>> = {
  processor: {
    late: "its processor came free after a sub-slot's start, not before",
    early: "its processor came free before a sub-slot's start, not after",
  },
  radio: {
    late: "its radio came free after a sub-slot's start, not before",
    early: "its radio came free before a sub-slot's start, not after",
  },
  shares: {
    late: "another device held shares for a sub-slot longer",
    early: "another device held shares for a sub-slot less",
  },
  deadline: { late: "it missed its deadline", early: "it met its deadline" },
  report: "its device's report missed the sub-slot",
  answer: "the answer to its device came too late",
  fallback: "Fair decided in its policy's place",
  energy: "the battery had more, or less, than its measured energy",
  lost: "it was lost",
  unknown: "the journals do not say why",
  timing: "none: the same course, as measured",
};

/**
 * The comparison as text: how far laboratory and simulator are apart, then why.
 *
 * @param caption what the numbers are, and of which hardware
 */
export const replayText = (replay: Replay, caption: string): string => {
  const { latencies, policies, notRepeated } = replay;
  const warnings = warningsOf(replay);
  const without = notRepeated.map(
    (policy) => `${policy}: an endpoint's answers cannot be repeated; its trials are left out`,
  );
  if (policies.length === 0) return ["no trial came to its end: there is nothing to compare", ...without].join("\n");
  const { decisionSeconds, startSeconds, localSeconds, edgeSeconds, edgeParts } = latencies;
  return [
    ...warnings,
    ...(warnings.length > 0 ? [""] : []),
    ...gapLines(policies),
    "",
    caption,
    "difference: laboratory less simulator, paired by trial",
    "left: the same with a simulator whose tasks take longer by what they took here in the median,",
    `  ${milliseconds(startSeconds)} from the sub-slot's start to the task's; the decision came after ${milliseconds(decisionSeconds)}`,
    `  ${milliseconds(localSeconds)} of a local execution beyond Eq. (4)`,
    `  ${milliseconds(edgeSeconds)} of an offloaded task beyond Eqs. (2) and (6):`,
    `    upload ${milliseconds(edgeParts.uploadSeconds)}, execution ${milliseconds(edgeParts.executionSeconds)}, way and answer ${milliseconds(edgeParts.otherSeconds)}`,
    ...policies.flatMap((policy) => ["", ...causeLines(policy)]),
    "",
    "first: tasks that differ for a cause of their own; all: with those that follow. late: how much later than in theory",
    "the end came that made the difference, in the median. To the right, what each cause adds to the mean differences.",
    ...without,
  ].join("\n");
};

/** What makes the simulator another world than the laboratory was. */
const warningsOf = ({ learnedLive, uplinkRateRatios, isCorrected }: Replay): string[] => [
  ...learnedLive.map(
    (policy) =>
      `WARNING: ${policy} learned during the run, the simulator has it as it was deployed: what differs is not the world alone. To compare the worlds, leave \`learning\` out of the manifest, as experiments/gap.yaml does.`,
  ),
  ...Object.entries(uplinkRateRatios).flatMap(([device, ratio]) =>
    ratio === 1
      ? []
      : `WARNING: the manifest had ${device} upload at ${ratio} of the theory's rate (\`uplink_rate_ratio\`), which the simulator does not.`,
  ),
  ...(isCorrected
    ? ["WARNING: leases were corrected by what uploads took (`link: corrected`); the simulator's are the theory's."]
    : []),
];

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
      ["  cause", "first", "all", "late", "success", "energy [J]", "waiting [s]", "reward"],
      ...causes.map((row) => causeCells(row)),
    ],
    1,
  ),
];

const causeCells = ({ cause, firsts, tasks, share, lateSeconds }: CauseRow): string[] => [
  `  ${causeText(cause, lateSeconds)}`,
  cause === "timing" ? "" : String(firsts),
  String(tasks),
  Number.isNaN(lateSeconds) ? "" : `${(1000 * lateSeconds).toFixed(1)} ms`,
  signed(share.successRatio, 4),
  signed(share.energyJoules, 2),
  signed(share.waitingSeconds, 4),
  signed(share.reward, 3),
];

const causeText = (cause: Cause, lateSeconds: number): string => {
  const text = causeTexts[cause];
  if (typeof text === "string") return text;
  return lateSeconds < 0 ? text.early : text.late;
};

const signed = (value: number, digits: number): string => {
  const text = value.toFixed(digits);
  return Number(text) > 0 ? `+${text}` : Number(text) === 0 ? "0" : text;
};

const milliseconds = ({ median, p95 }: Spread): string =>
  Number.isNaN(median) ? "no time" : `${(1000 * median).toFixed(1)} ms (p95 ${(1000 * p95).toFixed(1)})`;
