import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { lineStyle } from "./line-style.ts";
import type { Range } from "./plot-range.ts";
import { useScheme } from "./use-scheme.ts";

interface LineChartProps {
  readonly label: string;
  readonly axis: string;
  /** What runs to the right. */
  readonly across: string;
  /** Left end of that axis: 0 of a time, 1 of what is counted. */
  readonly begin: 0 | 1;
  /** Right end, unless the data go further. */
  readonly end: number;
  /** [across, a line per community, then lowest per community, then highest per community] or without the last two */
  readonly data: uPlot.AlignedData;
  readonly lines: number;
  readonly range: (lowest: number | null, highest: number | null) => Range;
  /** The moment under the pointer; null when it leaves. */
  readonly onPoint: (moment: number | null) => void;
}

const height = 168;

/** A uPlot chart that lives as long as its shape and colour scheme stay the same. */
export const LineChart = ({ label, axis, across, begin, end, data, lines, range, onPoint }: LineChartProps) => {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const scheme = useScheme();
  const banded = data.length > lines + 1;

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const width = element.clientWidth;
    const options = optionsFor(element, { axis, across, begin, end, lines, range, onPoint, banded, width });
    const chart = new uPlot(options, data, element);
    plot.current = chart;
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
      plot.current = null;
    };
  }, [axis, across, begin, end, lines, range, onPoint, banded, scheme]);

  useEffect(() => plot.current?.setData(data), [data]);

  return <div class="plot" ref={place} role="img" aria-label={label} style={{ height: `${height}px` }} />;
};

type Shape = Pick<LineChartProps, "axis" | "across" | "begin" | "end" | "lines" | "range" | "onPoint"> & {
  readonly banded: boolean;
  readonly width: number;
};

const optionsFor = (element: HTMLElement, shape: Shape): uPlot.Options => {
  const style = getComputedStyle(element);
  const colour = (token: string): string => style.getPropertyValue(token).trim();
  const font = `11px ${style.fontFamily}`;
  const ink = {
    stroke: colour("--muted"),
    font,
    labelFont: font,
    labelSize: 16,
    grid: { stroke: colour("--grid"), width: 1 },
    ticks: { show: false },
  };
  const indices = Array.from({ length: shape.lines }, (_, index) => index);
  const unseen = { stroke: "transparent", points: { show: false } };
  return {
    width: shape.width,
    height,
    padding: [6, 10, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: {
      x: { time: false, range: ({ data }) => [shape.begin, Math.max(shape.end, data[0].at(-1) ?? 0)] },
      y: { range: (_, low, high) => shape.range(low, high) },
    },
    axes: [
      { ...ink, label: shape.across, size: 24, gap: 4, ...(shape.begin === 1 ? { incrs: counts } : {}) },
      {
        ...ink,
        label: shape.axis,
        size: 46,
        gap: 4,
        space: 26,
        values: (_, splits) => splits.map((v) => String(v).replace("-", "−")),
      },
    ],
    series: [
      {},
      ...indices.map((index) => {
        const { token, dash } = lineStyle(index);
        return { stroke: colour(token), width: 2, dash, points: { show: isAlone }, spanGaps: false };
      }),
      ...(shape.banded ? [...indices, ...indices].map(() => unseen) : []),
    ],
    bands: shape.banded
      ? indices.map((index) => ({
          series: [1 + 2 * shape.lines + index, 1 + shape.lines + index] as [number, number],
          fill: `color-mix(in srgb, ${colour(lineStyle(index).token)} 14%, transparent)`,
        }))
      : [],
    hooks: { setCursor: [(chart) => shape.onPoint(chart.cursor.idx ?? null)] },
  };
};

/** Steps of an axis that counts. */
const counts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];

/** A line of one moment is a point, or nothing would be seen of it. */
const isAlone = ({ data }: uPlot): boolean => data[0].length === 1;
