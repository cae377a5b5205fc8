import { policyStyle } from "./policy-styles.ts";

/** Vega-Lite's channels that give every policy its style; the legend is drawn by itself. */
export const policyScales = (policies: readonly string[]) => {
  const domain = [...policies];
  const styles = domain.map(policyStyle);
  const channel = { field: "policy", type: "nominal", legend: null } as const;
  return {
    colour: { ...channel, scale: { domain, range: styles.map(({ colour }) => colour) } },
    fill: { ...channel, scale: { domain, range: styles.map(({ filled, colour }) => (filled ? colour : "#ffffff")) } },
    shape: { ...channel, scale: { domain, range: styles.map(({ shape }) => shape) } },
    dash: { ...channel, scale: { domain, range: styles.map(({ dash }) => (dash.length > 0 ? [...dash] : [1, 0])) } },
  };
};
