import { outcomes, type Tally, tallyText } from "./outcomes.ts";

/** The tasks of a device by outcome; the empty end is what has not ended yet. */
export const OutcomeBar = ({ tally }: { readonly tally: Tally }) => (
  <>
    <span class="outcome-bar" aria-hidden="true" title={tallyText(tally)}>
      {outcomes.map(({ key }) => {
        const count = tally.counts.get(key) ?? 0;
        return count > 0 ? <span key={key} class={`outcome-${key}`} style={{ flexGrow: count }} /> : null;
      })}
      {tally.open > 0 && <span class="outcome-open" style={{ flexGrow: tally.open }} />}
    </span>
    <span class="heard">: {tallyText(tally)}</span>
  </>
);
