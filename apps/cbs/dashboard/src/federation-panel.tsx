import type { LiveFederation, LiveRound, LiveRoundMember } from "@offloadlab/protocol";
import { useMemo } from "preact/hooks";
import { CommunityChart } from "./community-chart.tsx";
import { actorLambda, bytesText, criticLoss, overRounds, refusalText, roundBytes } from "./federation-rows.ts";
import { dash, fixed, fixedOrDash } from "./format.ts";
import { LineKey } from "./line-key.tsx";
import { sizeRange } from "./plot-range.ts";

interface FederationProps {
  readonly federation: LiveFederation;
  /** Names of the communities, in the order of the servers. */
  readonly communities: readonly string[];
}

const shownRounds = 8;

/** The rounds of Algorithm 2: who took part, losses, λ, bytes. */
export const FederationPanel = ({ federation, communities }: FederationProps) => {
  const { policy, rounds } = federation;
  const losses = useMemo(() => overRounds(federation, criticLoss), [federation]);
  const lambdas = useMemo(() => overRounds(federation, actorLambda), [federation]);
  const id = `federation-${policy}`;
  return (
    <section class="federation" aria-labelledby={id} data-testid={id}>
      <div class="section-head">
        <h2 id={id}>Federation of {policy}</h2>
        <OpenRound federation={federation} />
      </div>
      <Warnings federation={federation} communities={communities} />
      <div class="federation-parts">
        <div class="card table-card">
          <RoundTable federation={federation} communities={communities} />
          <p class="note">
            ● averaged, ○ sent but not selected, – sent nothing. f_q {fixed(federation.globalShare, 2)}, ε{" "}
            {fixed(federation.greedyProbability, 2)}; losses without proximal terms, λ of the actor until the next
            round.
          </p>
        </div>
        {rounds.length > 0 && (
          <div class="federation-charts">
            <CommunityChart
              title="Critics' loss"
              axis="Loss"
              across="Round"
              communities={communities}
              data={losses}
              range={sizeRange}
              testId={`losses-${policy}`}
            />
            <CommunityChart
              title="λ of the actor"
              axis="λ"
              across="Round"
              communities={communities}
              data={lambdas}
              range={sizeRange}
              testId={`lambdas-${policy}`}
            />
          </div>
        )}
      </div>
    </section>
  );
};

const OpenRound = ({
  federation: { open, nodes, averagedRounds, skippedRounds, rounds },
}: Pick<FederationProps, "federation">) => {
  const skipped = skippedRounds > 0 ? `, ${skippedRounds} skipped` : "";
  const done =
    rounds.length === 0
      ? "no round yet"
      : `${averagedRounds} ${averagedRounds === 1 ? "round" : "rounds"} averaged${skipped}`;
  const now =
    open === null
      ? ""
      : ` · round ${open.round} open: ${open.reported.length} of ${nodes.length} reported, ${fixed(open.deadlineInSeconds, 0)} s left`;
  return (
    <p class="note" data-testid="federation-state">
      {done}
      {now}
    </p>
  );
};

const Warnings = ({ federation, communities }: FederationProps) => {
  const { nodes, starved } = federation;
  const refused = refusalText(federation);
  const names = starved.map((node) => communities[nodes.indexOf(node)] ?? node).join(", ");
  return (
    <>
      {names && <p class="note warn">The selection hardly ever lets {names} in: are the losses comparable?</p>}
      {refused && (
        <p class="note warn" data-testid="refusals">
          Updates refused: {refused}
        </p>
      )}
    </>
  );
};

const RoundTable = ({ federation, communities }: FederationProps) => {
  const last = federation.rounds.slice(-shownRounds).reverse();
  return (
    <table data-testid={`rounds-${federation.policy}`}>
      <caption class="heard">The last rounds, the latest first</caption>
      <thead>
        <tr>
          <th scope="col">Round</th>
          <th scope="col" title="the last trial before it">
            Trial
          </th>
          {communities.map((name, index) => (
            <th scope="col" key={name} colSpan={2} title="critics' loss and λ of the actor">
              <LineKey index={index} /> {name}: loss, λ
            </th>
          ))}
          <th scope="col">Bytes</th>
        </tr>
      </thead>
      <tbody>
        {last.map((round) => (
          <RoundRow key={round.round} round={round} federation={federation} />
        ))}
      </tbody>
    </table>
  );
};

const RoundRow = ({ round, federation }: { readonly round: LiveRound; readonly federation: LiveFederation }) => (
  <tr class={round.state} title={round.reason ?? undefined}>
    <th scope="row">
      {round.round}
      {round.reason && <span class="skipped"> skipped</span>}
    </th>
    <td>{round.trial}</td>
    {round.members.map((member) => (
      <MemberCells key={member.node} member={member} />
    ))}
    <td>{bytesText(roundBytes(federation, round))}</td>
  </tr>
);

const MemberCells = ({ member }: { readonly member: LiveRoundMember }) => {
  const sent = member.updates !== null;
  const sign = member.took ? "●" : sent ? "○" : dash;
  const meaning = member.took ? "averaged" : sent ? "sent, not selected" : "sent nothing";
  return (
    <>
      <td title={`${member.node}: ${meaning}, ${member.updates ?? 0} updates`}>
        <span aria-hidden="true">{sign}</span>
        <span class="heard">{meaning}</span> {fixedOrDash(criticLoss(member), 4)}
      </td>
      <td>{fixedOrDash(actorLambda(member), 4)}</td>
    </>
  );
};
