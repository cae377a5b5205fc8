import type { LiveResult } from "@offloadlab/protocol";
import { groupByPolicy, isKnown, type PolicyRows } from "./comparison.ts";
import { fixed } from "./format.ts";
import { LineKey } from "./line-key.tsx";
import { lineStyle } from "./line-style.ts";
import { axisTicks, pointsOf, type RewardPoint, rewardEnds } from "./reward-points.ts";

interface FigureProps {
  readonly results: readonly LiveResult[];
  /** Names of the communities. */
  readonly communities: readonly string[];
}

const width = 640;
const left = 92;
const right = 14;
/** Of a community's line within a policy's band. */
const lineHeight = 13;
const gap = 12;
const axisHeight = 34;

/** Fig. 11: the mean reward per task of each policy in each community, with its 95 % interval. */
export const RewardFigure = ({ results, communities }: FigureProps) => {
  const groups = groupByPolicy(results).filter(({ communities: rows }) => rows.some(({ reward }) => isKnown(reward)));
  if (groups.length === 0) return null;
  const [low, high] = rewardEnds(results);
  const at = (reward: number): number => left + ((reward - low) / (high - low)) * (width - left - right);
  const band = communities.length * lineHeight + gap;
  const bottom = groups.length * band;
  return (
    <section class="charts" aria-labelledby="reward-figure">
      <div class="section-head">
        <h2 id="reward-figure">Rewards by community and policy</h2>
      </div>
      <figure class="card chart" data-testid="reward-figure">
        <figcaption>
          <ul class="chart-values">
            {communities.map((name, index) => (
              <li key={name}>
                <LineKey index={index} /> {name}
              </li>
            ))}
          </ul>
          <p class="note">mean reward per task and its 95 % interval; to the right is better</p>
        </figcaption>
        <svg class="reward-figure" viewBox={`0 0 ${width} ${bottom + axisHeight}`} role="img">
          <title>{summaryOf(groups)}</title>
          {axisTicks(low, high).map((tick) => (
            <g key={tick}>
              <line class="grid" x1={at(tick)} x2={at(tick)} y1={0} y2={bottom} />
              <text x={at(tick)} y={bottom + 14} text-anchor="middle">
                {fixed(tick, tick % 1 === 0 ? 0 : 1)}
              </text>
            </g>
          ))}
          <text x={(left + width - right) / 2} y={bottom + 29} text-anchor="middle">
            Reward per task
          </text>
          {groups.map((group, index) => (
            <g key={group.policy} transform={`translate(0 ${index * band + gap / 2})`}>
              <text class="policy" x={left - 10} y={(band - gap) / 2 + 4} text-anchor="end">
                {group.policy}
              </text>
              {pointsOf(group, communities).map((point) => (
                <Point key={point.community} point={point} at={at} />
              ))}
            </g>
          ))}
        </svg>
      </figure>
    </section>
  );
};

const Point = ({ point, at }: { readonly point: RewardPoint; readonly at: (reward: number) => number }) => {
  const { community, index, mean, low, high } = point;
  const { token, dash } = lineStyle(index);
  const y = (index + 0.5) * lineHeight;
  return (
    <g stroke={`var(${token})`} fill={`var(${token})`}>
      <title>{`${community}: ${fixed(mean, 2)} (${fixed(low, 2)} to ${fixed(high, 2)})`}</title>
      <line x1={at(low)} x2={at(high)} y1={y} y2={y} stroke-width="2" stroke-dasharray={dash.join(" ")} />
      <circle cx={at(mean)} cy={y} r="3.5" />
    </g>
  );
};

const summaryOf = (groups: readonly PolicyRows[]): string =>
  groups
    .map(({ policy, communities }) => {
      const means = communities.map(({ community, reward }) =>
        isKnown(reward) ? `${community} ${fixed(reward.mean, 2)}` : "",
      );
      return `${policy}: ${means.filter(Boolean).join(", ")}`;
    })
    .join("; ");
