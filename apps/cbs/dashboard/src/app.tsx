import type { LiveCommunity } from "@offloadlab/protocol";
import { useEffect } from "preact/hooks";
import { ConnectionBanner, RunBanner } from "./banners.tsx";
import { Charts } from "./charts.tsx";
import { CommunityCard } from "./community-card.tsx";
import { NoRun } from "./empty-state.tsx";
import { Hardware } from "./emulated.tsx";
import { FallbackTable } from "./fallback-table.tsx";
import { FederationPanel } from "./federation-panel.tsx";
import { LearningCharts } from "./learning-charts.tsx";
import { OutcomeLegend } from "./outcome-legend.tsx";
import { tallyAll } from "./outcomes.ts";
import { ResultsTable } from "./results-table.tsx";
import { RewardFigure } from "./reward-figure.tsx";
import { RunHeader } from "./run-header.tsx";
import { pageTitle } from "./run-view.ts";
import { TracePanel } from "./trace-panel.tsx";
import { useLive } from "./use-live.ts";

export const App = () => {
  const { link, snapshot, history, retry } = useLive();
  const run = snapshot?.run ?? null;
  const communities = snapshot?.communities ?? [];
  const names = communities.map(({ name }) => name);
  const learning = snapshot?.learning ?? [];
  const answers = snapshot?.answers ?? [];
  const title = pageTitle(snapshot);
  useEffect(() => {
    document.title = title;
  }, [title]);
  const stale = snapshot !== null && (link === "lost" || link === "silent");

  return (
    <Hardware.Provider value={run?.hardware ?? null}>
      <div class={stale ? "page stale" : "page"}>
        <RunHeader run={run} link={link} />
        <ConnectionBanner link={link} stale={stale} retry={retry} />
        <main>
          {run ? <RunBanner run={run} /> : <NoRun connected={snapshot !== null} nodes={communities.length} />}
          {communities.length > 0 && (
            <section aria-labelledby="communities">
              <div class="section-head">
                <h2 id="communities">Communities</h2>
                {run && <OutcomeLegend tally={tallyAll(communities)} />}
              </div>
              <div class="communities">
                {communities.map((community, index) => (
                  <CommunityCard key={community.name} community={community} index={index} />
                ))}
              </div>
            </section>
          )}
          {run && (
            <div class="analysis">
              <Charts history={history} epochSeconds={run.epochSeconds} capacity={largestCapacity(communities)} />
              <ResultsTable
                results={snapshot?.results ?? []}
                current={run.state === "running" ? run.policy : null}
                invalid={run.state === "invalid"}
              />
            </div>
          )}
          {answers.length > 0 && <FallbackTable answers={answers} communities={names} />}
          {run && <TracePanel />}
          {run && <RewardFigure results={snapshot?.results ?? []} communities={names} />}
          {learning.length > 0 && <LearningCharts epochs={learning} communities={names} />}
          {snapshot?.federations.map((federation) => (
            <FederationPanel key={federation.policy} federation={federation} communities={names} />
          ))}
        </main>
      </div>
    </Hardware.Provider>
  );
};

const largestCapacity = (communities: readonly LiveCommunity[]): number =>
  Math.max(0, ...communities.flatMap(({ devices }) => devices.map(({ capacityJoules }) => capacityJoules)));
