import { lineStyle } from "./line-style.ts";

/** A community's line as the charts draw it. */
export const LineKey = ({ index }: { readonly index: number }) => {
  const { token, dash } = lineStyle(index);
  return (
    <svg class="line-key" width="22" height="10" viewBox="0 0 22 10" aria-hidden="true">
      <title>line</title>
      <line
        x1="1"
        y1="5"
        x2="21"
        y2="5"
        stroke={`var(${token})`}
        stroke-width="2.5"
        stroke-dasharray={dash.join(" ")}
      />
    </svg>
  );
};
