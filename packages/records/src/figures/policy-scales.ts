import { type PolicyStyle, policyStyle } from "./policy-styles.ts";

/**
 * Vega-Lite's channels that give every policy its style; the legend is drawn by itself.
 *
 * @param styleOf of lines that are no policies
 */
export const policyScales = (policies: readonly string[], styleOf: (policy: string) => PolicyStyle = policyStyle) => {
  const domain = [...policies];
  const styles = domain.map(styleOf);
  const channel = { field: "policy", type: "nominal", legend: null } as const;
  return {
    colour: { ...channel, scale: { domain, range: styles.map(({ colour }) => colour) } },
    fill: { ...channel, scale: { domain, range: styles.map(({ filled, colour }) => (filled ? colour : "#ffffff")) } },
    shape: { ...channel, scale: { domain, range: styles.map(({ shape }) => shape) } },
    dash: { ...channel, scale: { domain, range: styles.map(({ dash }) => (dash.length > 0 ? [...dash] : [1, 0])) } },
  };
};
