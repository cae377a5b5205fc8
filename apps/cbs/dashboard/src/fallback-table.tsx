import type { LiveAnswers } from "@offloadlab/protocol";
import { type Fallbacks, fallbackRows } from "./fallback-rows.ts";
import { dash } from "./format.ts";

interface TableProps {
  readonly answers: readonly LiveAnswers[];
  /** Names of the communities. */
  readonly communities: readonly string[];
}

/** How often Fair decided in the place of policies from outside, whose figures are then partly its. */
export const FallbackTable = ({ answers, communities }: TableProps) => (
  <section class="results" aria-labelledby="fallbacks">
    <div class="section-head">
      <h2 id="fallbacks">Decided by Fair instead</h2>
    </div>
    <div class="card table-card">
      <table data-testid="fallbacks">
        <caption class="heard">Sub-slots that Fair decided in the place of policies from outside, by community</caption>
        <thead>
          <tr>
            <th scope="col">Policy</th>
            {communities.map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {fallbackRows(answers, communities).map((row) => (
            <tr key={row.policy}>
              <th scope="row">{row.policy}</th>
              {row.communities.map((fallbacks, index) => (
                <Cell key={communities[index]} fallbacks={fallbacks} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <p class="note">
        Sub-slots in which a policy from outside gave no usable answer in time, of those that it was asked to decide;
        over the trials that have ended.
      </p>
    </div>
  </section>
);

const Cell = ({ fallbacks }: { readonly fallbacks: Fallbacks | undefined }) => {
  if (fallbacks === undefined) return <td title="no trial yet">{dash}</td>;
  const { byFair, asked, reasons } = fallbacks;
  return (
    <td class={byFair > 0 ? "fell-back" : undefined}>
      {byFair} of {asked}
      {reasons && <span class="half"> {reasons}</span>}
    </td>
  );
};
