/** How a policy looks in every figure, whichever others stand beside it. */
export interface PolicyStyle {
  readonly name: string;
  /** Distinct for the common kinds of colour blindness; shapes and dashes carry the difference in black and white. */
  readonly colour: string;
  /** A symbol of Vega, or an SVG path in a square from -1 to 1. */
  readonly shape: string;
  /** Policies that learn are filled; the others are hollow. */
  readonly filled: boolean;
  /** Lengths of strokes and gaps, in points; none is a solid line. */
  readonly dash: readonly number[];
}

const cross = "M-0.8,-0.8L0.8,0.8M-0.8,0.8L0.8,-0.8";
const star = "M0,-1.15L0.29,-0.4L1.09,-0.36L0.47,0.15L0.68,0.93L0,0.49L-0.68,0.93L-0.47,0.15L-1.09,-0.36L-0.29,-0.4Z";

const styles: Readonly<Record<string, PolicyStyle>> = {
  local: { name: "Local", colour: "#707070", shape: "circle", filled: false, dash: [1, 2] },
  edge: { name: "Edge", colour: "#56b4e9", shape: "square", filled: false, dash: [4, 2] },
  greedy: { name: "Greedy", colour: "#e69f00", shape: "triangle-up", filled: false, dash: [6, 2, 1, 2] },
  fair: { name: "Fair", colour: "#009e73", shape: "diamond", filled: false, dash: [2, 1.5] },
  oracle: { name: "Oracle", colour: "#000000", shape: cross, filled: false, dash: [1, 1.2] },
  dqn: { name: "DQN", colour: "#999933", shape: "triangle-down", filled: true, dash: [3, 1.5, 1, 1.5] },
  ddpg: { name: "DDPG", colour: "#cc79a7", shape: "diamond", filled: true, dash: [8, 2] },
  td3: { name: "TD3", colour: "#0072b2", shape: "triangle-up", filled: true, dash: [4, 1.5, 1, 1.5, 1, 1.5] },
  "mcf-td3": { name: "MCF-TD3", colour: "#882255", shape: "square", filled: true, dash: [10, 1.5, 2, 1.5] },
  "pfr-oa": { name: "PFR-OA", colour: "#d55e00", shape: star, filled: true, dash: [] },
};

/** The order of legends, axes and layers: the paper's own method comes last and lies on top. */
export const policyOrder: readonly string[] = Object.keys(styles);

/** The style of a policy; one that has none of its own is black and called as it is. */
export const policyStyle = (policy: string): PolicyStyle =>
  styles[policy] ?? { name: policy, colour: "#000000", shape: "cross", filled: true, dash: [1, 1] };

/** Policies in the order of `policyOrder`, others after them in order of appearance. */
export const orderedPolicies = (policies: Iterable<string>): string[] => {
  const distinct = [...new Set(policies)];
  return [
    ...policyOrder.filter((policy) => distinct.includes(policy)),
    ...distinct.filter((policy) => !policyOrder.includes(policy)),
  ];
};

const shades = ["#b3b3b3", "#56b4e9", "#e69f00", "#0072b2", "#882255", "#000000"];
const shapes = ["circle", "square", "triangle-up", "diamond", "triangle-down", star];
const dashes = [[1, 2], [4, 2], [6, 2, 1, 2], [8, 2], [2, 1.5], []];

/** The style of a line for one value of several, in their order: from pale to dark. */
export const valueStyle = (name: string, index: number): PolicyStyle => {
  const place = index % shades.length;
  return {
    name,
    colour: shades[place] as string,
    shape: shapes[place] as string,
    filled: index % 2 === 1,
    dash: dashes[place] as number[],
  };
};
