import { type Provenance, provenanceLine } from "./provenance.ts";
import { type SweepMetric, sweepMetricList } from "./sweep-metrics.ts";
import type { SweepEstimate, SweepRow } from "./sweep-rows.ts";

const parts: readonly { name: string; of: (estimate: SweepEstimate) => number | null | undefined }[] = [
  { name: "mean", of: ({ mean }) => mean },
  { name: "low", of: ({ interval }) => interval?.[0] },
  { name: "high", of: ({ interval }) => interval?.[1] },
  { name: "bootstrap_low", of: ({ bootstrapInterval }) => bootstrapInterval?.[0] },
  { name: "bootstrap_high", of: ({ bootstrapInterval }) => bootstrapInterval?.[1] },
];

/**
 * The sweep for a spreadsheet or a plotting program (RFC 4180 with line feeds), under a comment line that begins with
 * `#`. Numbers have all their digits; a cell is empty where n does not allow a value.
 */
export const sweepCsv = (rows: readonly SweepRow[], provenance: Provenance): string => {
  const variables = Object.keys(rows[0]?.variables ?? {});
  const lines = [
    [...variables, "policy", "community", ...sweepMetricList.flatMap(metricColumns)],
    ...rows.map((row) => [
      ...variables.map((name) => String(row.variables[name])),
      row.policy,
      row.community,
      ...sweepMetricList.flatMap(({ key }) => [
        ...parts.map(({ of }) => String(of(row[key]) ?? "")),
        String(row[key].n),
      ]),
    ]),
  ];
  const comment = `# ${provenanceLine(provenance)}; low and high: 95 % Student-t interval over n trials`;
  return [comment, ...lines.map((line) => line.map(quoted).join(","))].map((line) => `${line}\n`).join("");
};

/** `energy_mean_joules` ... `energy_n`. */
const metricColumns = ({ column, unit }: SweepMetric): string[] => [
  ...parts.map(({ name }) => [column, name, unit].filter((word) => word !== undefined).join("_")),
  `${column}_n`,
];

const quoted = (cell: string): string => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
