/** How the line of a community looks: colour and dash, so that neither has to be told apart alone. */
export interface LineStyle {
  /** CSS custom property that holds the colour of the scheme in use. */
  readonly token: string;
  /** Canvas and SVG dash pattern; empty for a solid line. */
  readonly dash: number[];
}

const colours = 4;
const dashes = [[], [6, 3], [2, 2.5], [8, 3, 2, 3]];

export const lineStyle = (index: number): LineStyle => ({
  token: `--line-${(index % colours) + 1}`,
  dash: dashes[(index + Math.floor(index / colours)) % dashes.length] ?? [],
});
