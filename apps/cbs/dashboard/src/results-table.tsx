import type { LiveResult } from "@offloadlab/protocol";
import { useState } from "preact/hooks";
import { bestPolicies, columnDecimals, groupByPolicy, halfLength, metrics } from "./comparison.ts";
import { EmulatedTag, useEmulated } from "./emulated.tsx";
import { PolicyGroup } from "./policy-group.tsx";

interface ResultsProps {
  readonly results: readonly LiveResult[];
  /** The policy that runs now. */
  readonly current: string | null;
  readonly invalid: boolean;
}

/** The comparison so far: what the run is for. */
export const ResultsTable = ({ results, current, invalid }: ResultsProps) => {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const emulated = useEmulated();
  const groups = groupByPolicy(results);
  const allOpen = groups.length > 0 && groups.every(({ policy }) => open.has(policy));
  const columns = metrics.map((metric) => {
    const decimals = columnDecimals(results, metric);
    return { metric, decimals, halfLength: halfLength(results, metric, decimals), best: bestPolicies(results, metric) };
  });
  const toggle = (policy: string): void =>
    setOpen((before) => new Set(before.has(policy) ? [...before].filter((p) => p !== policy) : [...before, policy]));

  return (
    <section class="results" aria-labelledby="comparison">
      <div class="section-head">
        <h2 id="comparison">Comparison so far</h2>
        {invalid && <p class="note warn">of an invalid run</p>}
        <button
          type="button"
          disabled={groups.length === 0}
          onClick={() => setOpen(new Set(allOpen ? [] : groups.map(({ policy }) => policy)))}
        >
          {allOpen ? "Hide communities" : "Show communities"}
        </button>
      </div>
      <div class="card table-card">
        <table data-testid="results-table">
          <caption class="heard">Policies compared, mean over trials and half width of the 95 % interval</caption>
          <thead>
            <tr>
              <th scope="col">Policy</th>
              {metrics.map(({ key, label, unit, better, emulated: fromBattery }) => (
                <th scope="col" key={key} title={`${better} is better`}>
                  {label}
                  {unit && ` [${unit}]`}&nbsp;<span aria-hidden="true">{better === "higher" ? "↑" : "↓"}</span>
                  {fromBattery && (
                    <>
                      {" "}
                      <EmulatedTag />
                    </>
                  )}
                </th>
              ))}
              <th scope="col" title="trials">
                n
              </th>
            </tr>
          </thead>
          {groups.map((group) => (
            <PolicyGroup
              key={group.policy}
              group={group}
              columns={columns}
              open={open.has(group.policy)}
              running={group.policy === current}
              toggle={() => toggle(group.policy)}
            />
          ))}
        </table>
        {groups.length === 0 && <p class="empty-table">No trial has ended yet.</p>}
        <p class="note">
          Mean over n trials ± half width of its 95 % Student-t interval; ± – with fewer than two trials, which give no
          interval. Shaded: best mean so far, no verdict while intervals overlap.
          {emulated &&
            " Emulated hardware: battery, CPU clock and radio rate follow the model in real time, and every column rests on them."}
        </p>
      </div>
    </section>
  );
};
