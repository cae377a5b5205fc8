import { useState } from "preact/hooks";
import type { Columns } from "./federation-rows.ts";
import { decimalsFor, fixedOrDash } from "./format.ts";
import { LineChart } from "./line-chart.tsx";
import { LineKey } from "./line-key.tsx";
import type { Range } from "./plot-range.ts";

interface CommunityChartProps {
  readonly title: string;
  readonly axis: string;
  /** What runs to the right. */
  readonly across: string;
  readonly communities: readonly string[];
  readonly data: Columns;
  readonly range: (lowest: number | null, highest: number | null) => Range;
  readonly testId: string;
}

/** A line for each community over epochs or rounds; the values are those under the pointer, or the last ones. */
export const CommunityChart = ({ title, axis, across, communities, data, range, testId }: CommunityChartProps) => {
  const [pointed, setPointed] = useState<number | null>(null);
  const [x, ...lines] = data;
  const moment = pointed !== null && pointed < x.length ? pointed : x.length - 1;
  const decimals = decimalsFor(lines.flat().filter((value) => value !== null));
  const values = communities.map((name, index) => ({
    name,
    text: fixedOrDash(lines[index]?.[moment] ?? null, decimals),
  }));
  const label = `${title}, per community: ${values.map(({ name, text }) => `${name} ${text}`).join(", ")}`;
  return (
    <figure class="card chart" data-testid={testId}>
      <figcaption>
        <h3>{title}</h3>
        <ul class="chart-values">
          {values.map(({ name, text }, index) => (
            <li key={name}>
              <LineKey index={index} /> {name} <span class="count">{text}</span>
            </li>
          ))}
        </ul>
      </figcaption>
      <LineChart
        label={label}
        axis={axis}
        across={across}
        begin={1}
        end={2}
        data={data}
        lines={communities.length}
        range={range}
        onPoint={setPointed}
      />
    </figure>
  );
};
