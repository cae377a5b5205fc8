import type { LiveEpoch } from "@offloadlab/protocol";
import { useMemo } from "preact/hooks";
import { CommunityChart } from "./community-chart.tsx";
import { learningCurve, learningPolicies } from "./federation-rows.ts";
import { rewardRange } from "./plot-range.ts";

interface LearningProps {
  readonly epochs: readonly LiveEpoch[];
  /** Names of the communities. */
  readonly communities: readonly string[];
}

/** How the policies that learn have done, epoch by epoch. */
export const LearningCharts = ({ epochs, communities }: LearningProps) => (
  <section class="charts" aria-labelledby="learning-charts">
    <div class="section-head">
      <h2 id="learning-charts">Learning curves</h2>
    </div>
    {learningPolicies(epochs).map((policy) => (
      <LearningChart key={policy} policy={policy} epochs={epochs} communities={communities} />
    ))}
  </section>
);

const LearningChart = ({ policy, epochs, communities }: LearningProps & { readonly policy: string }) => {
  const data = useMemo(() => learningCurve(epochs, policy, communities.length), [epochs, policy, communities.length]);
  return (
    <CommunityChart
      title={`${policy}: reward per task`}
      axis="Reward per task"
      across="Epoch (trial of this policy)"
      communities={communities}
      data={data}
      range={rewardRange}
      testId={`learning-${policy}`}
    />
  );
};
