import type { LoopAxis } from "../loop-axis.ts";

/** Between the error bars of two policies at the same position, in points. */
const mostBetween = 1.6;

/** Between the first and the last policy at a position, in points: all of them still belong to its tick. */
const mostSpread = 8;

/** Share of the room between two positions that all policies together may fill. */
const mostFilled = 0.4;

/**
 * Moves the policies at a position a little to the left and right of it, so that their error bars can be told apart.
 *
 * @param positions all values on the axis, ascending
 * @param width between the first and the last of them, in points
 * @returns the place of policy number `index` of `count` at a position, on the axis
 */
export const dodge = (
  positions: readonly number[],
  width: number,
  scale: LoopAxis["scale"],
): ((position: number, index: number, count: number) => number) => {
  const onPaper = scale === "log" ? Math.log : (position: number) => position;
  const onAxis = scale === "log" ? Math.exp : (place: number) => place;
  const places = positions.map(onPaper);
  const gaps = places.slice(1).map((place, index) => place - (places[index] as number));
  if (gaps.length === 0) return (position) => position;
  const perPoint = ((places.at(-1) as number) - (places[0] as number)) / width;
  return (position, index, count) => {
    const points = Math.min(mostBetween, mostSpread / (count - 1));
    const step = Math.min(points * perPoint, (mostFilled * Math.min(...gaps)) / count);
    const shift = (index - (count - 1) / 2) * step;
    return shift === 0 ? position : onAxis(onPaper(position) + shift);
  };
};
