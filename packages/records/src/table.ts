import type { Hardware } from "./archive.ts";
import type { ResultRow } from "./results.ts";
import type { Estimate } from "./statistics.ts";

const columns: readonly { title: string; of: (row: ResultRow) => Estimate; digits: number }[] = [
  { title: "reward per task", of: (row) => row.reward, digits: 3 },
  { title: "success rate", of: (row) => row.successRatio, digits: 3 },
  { title: "energy per task [J]", of: (row) => row.energyJoules, digits: 2 },
  { title: "waiting time [s]", of: (row) => row.waitingSeconds, digits: 3 },
];

/** `0.912 ± 0.013`; without an interval when n < 2, `-` when n = 0. */
export const formatEstimate = ({ mean, halfWidth }: Estimate, digits: number): string =>
  mean === null ? "-" : `${mean.toFixed(digits)}${halfWidth === null ? "" : ` ± ${halfWidth.toFixed(digits)}`}`;

/**
 * What the numbers of the comparison are, and of which hardware.
 *
 * @param clockSpeed lab seconds per real second
 */
export const resultCaption = (hardware: Hardware, clockSpeed: number): string => {
  const clock = clockSpeed === 1 ? "at real time" : `${Number(clockSpeed.toFixed(2))}x real time`;
  return `mean ± half width of the 95 % Student-t interval over n trials; ${hardware} hardware, clock ${clock}`;
};

/** The comparison as text, under which `resultCaption` belongs. */
export const resultTable = (rows: readonly ResultRow[]): string => {
  const cells = [
    ["policy", "community", ...columns.map(({ title }) => title), "n"],
    ...rows.map((row) => [
      row.policy,
      row.community,
      ...columns.map(({ of, digits }) => formatEstimate(of(row), digits)),
      String(row.reward.n),
    ]),
  ];
  const widths = (cells[0] as string[]).map((_, column) =>
    Math.max(...cells.map((line) => (line[column] as string).length)),
  );
  const lines = cells.map((line) =>
    line
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  const rule = "-".repeat(Math.max(...lines.map((line) => line.length)));
  const body = rows.flatMap((row, index) => {
    const line = lines[index + 1] as string;
    return index > 0 && row.policy !== rows[index - 1]?.policy ? ["", line] : [line];
  });
  return [lines[0], rule, ...body].join("\n");
};
