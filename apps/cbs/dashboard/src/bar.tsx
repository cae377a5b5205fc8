import { share } from "./format.ts";

interface BarProps {
  readonly part: number;
  readonly whole: number;
  readonly tone?: "use" | "charge" | "low";
}

/** A bar beside a figure that says the same, so it is hidden from those who hear the page. */
export const Bar = ({ part, whole, tone = "use" }: BarProps) => (
  <span class={`bar bar-${tone}`} aria-hidden="true">
    <span style={{ width: `${share(part, whole) * 100}%` }} />
  </span>
);
