import { outcomes, type Tally } from "./outcomes.ts";

/** The colours of the outcomes, with the counts of this trial over all devices. */
export const OutcomeLegend = ({ tally }: { readonly tally: Tally }) => (
  <ul class="legend" aria-label="Outcomes of this trial, all devices" data-testid="outcomes">
    {outcomes.map(({ key, label, meaning }) => (
      <li key={key} title={meaning} data-testid={`outcome-${key}`}>
        <span class={`swatch outcome-${key}`} aria-hidden="true" />
        {label} <span class="count">{tally.counts.get(key) ?? 0}</span>
      </li>
    ))}
    <li title="queued, being uploaded or being run">
      <span class="swatch outcome-open" aria-hidden="true" />
      not ended <span class="count">{tally.open}</span>
    </li>
  </ul>
);
