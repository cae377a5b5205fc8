import { useMemo, useState } from "preact/hooks";
import type uPlot from "uplot";
import { EmulatedTag } from "./emulated.tsx";
import { fixed, fixedOrDash } from "./format.ts";
import type { History, Moment } from "./history.ts";
import { LineChart } from "./line-chart.tsx";
import { LineKey } from "./line-key.tsx";
import { chargeRange, rewardRange } from "./plot-range.ts";

interface ChartsProps {
  readonly history: History;
  readonly epochSeconds: number;
  /** Joules of the largest battery. */
  readonly capacity: number;
}

/** The running trial over its lab time. */
export const Charts = ({ history, epochSeconds, capacity }: ChartsProps) => {
  const begin = history.seconds[0] ?? 0;
  const reward = useMemo(() => columns(history, ["reward"]), [history]);
  const charge = useMemo(() => columns(history, ["chargeMean", "chargeLowest", "chargeHighest"]), [history]);
  const fullRange = useMemo(() => chargeRange(capacity), [capacity]);
  const shared = { history, seconds: epochSeconds };
  return (
    <section class="charts" aria-labelledby="trial-charts">
      <div class="section-head">
        <h2 id="trial-charts">This trial</h2>
        {begin > epochSeconds / 50 && <p class="note">seen by this page from {fixed(begin, 0)} s on</p>}
      </div>
      <Chart
        {...shared}
        title="Cumulative reward"
        axis="Cumulative reward"
        of="reward"
        data={reward}
        range={rewardRange}
      />
      <Chart
        {...shared}
        title="Mean charge and range"
        axis="Battery charge [J]"
        of="chargeMean"
        data={charge}
        range={fullRange}
        emulated
      />
    </section>
  );
};

interface ChartProps {
  readonly history: History;
  readonly seconds: number;
  readonly title: string;
  readonly axis: string;
  readonly of: keyof Moment;
  readonly data: uPlot.AlignedData;
  readonly range: typeof rewardRange;
  readonly emulated?: boolean;
}

const Chart = ({ history, seconds, title, axis, of, data, range, emulated = false }: ChartProps) => {
  const [pointed, setPointed] = useState<number | null>(null);
  const moment = pointed !== null && pointed < history.seconds.length ? pointed : history.seconds.length - 1;
  const values = history.communities.map((name, index) => {
    const value = history.moments[index]?.[moment]?.[of] ?? null;
    return { name, text: fixedOrDash(value, 1) };
  });
  const label = `${title}, per community over lab time: ${values.map(({ name, text }) => `${name} ${text}`).join(", ")}`;
  return (
    <figure class="card chart" data-testid={`chart-${of}`}>
      <figcaption>
        <h3>
          {title} {emulated && <EmulatedTag />}
        </h3>
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
        across="Lab time in this trial [s]"
        begin={0}
        end={seconds}
        data={data}
        lines={history.communities.length}
        range={range}
        onPoint={setPointed}
      />
    </figure>
  );
};

const columns = ({ seconds, moments }: History, keys: readonly (keyof Moment)[]): uPlot.AlignedData => [
  [...seconds],
  ...keys.flatMap((key) => moments.map((series) => series.map((moment) => moment[key]))),
];
