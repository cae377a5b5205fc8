import type { LiveCommunity, LiveServer } from "@offloadlab/protocol";
import { Bar } from "./bar.tsx";
import { DeviceRow } from "./device-row.tsx";
import { EmulatedTag } from "./emulated.tsx";
import { dash, fixed, fixedOrDash, percent } from "./format.ts";
import { LineKey } from "./line-key.tsx";

interface CardProps {
  readonly community: LiveCommunity;
  /** Its place among the communities, which is its colour in the charts. */
  readonly index: number;
}

/** One MEC server and its end devices, now. */
export const CommunityCard = ({ community, index }: CardProps) => {
  const { name, server, devices, reward, rewardPerTask } = community;
  return (
    <article class="card" aria-label={`Community ${name}`} data-testid={`community-${name}`}>
      <header class="card-head">
        <LineKey index={index} />
        <h3>{name}</h3>
        <ServerState server={server} />
      </header>
      <dl class="figures">
        <Figure label="Reward, sum" value={fixed(reward, 1)} testId={`reward-${name}`} />
        <Figure label="Reward per task" value={fixedOrDash(rewardPerTask, 3)} />
        <Figure label="Tasks in flight" value={server.online ? String(server.tasksInFlight) : dash} />
      </dl>
      <div class="uses">
        <Use label="Bandwidth" ratio={server.online ? server.bandwidthInUseRatio : null} />
        <Use label="Compute" ratio={server.online ? server.computeInUseRatio : null} />
      </div>
      <table class="devices">
        <caption class="heard">End devices of {name}</caption>
        <thead>
          <tr>
            <th scope="col">Device</th>
            <th scope="col">
              Charge <EmulatedTag />
            </th>
            <th scope="col">Queue</th>
            <th scope="col">Lanes</th>
            <th scope="col">Tasks ended</th>
          </tr>
        </thead>
        <tbody>
          {devices.map((device) => (
            <DeviceRow key={device.id} device={device} />
          ))}
        </tbody>
      </table>
    </article>
  );
};

const ServerState = ({ server }: { readonly server: LiveServer }) => (
  <p class={server.online ? "node" : "node offline"} data-testid={`server-${server.id}`}>
    <span class="dot" aria-hidden="true" />
    {server.online ? `${server.id} online` : `MEC offline (${server.id})`}
  </p>
);

const Figure = ({ label, value, testId }: { label: string; value: string; testId?: string }) => (
  <div>
    <dt>{label}</dt>
    <dd data-testid={testId}>{value}</dd>
  </div>
);

const Use = ({ label, ratio }: { readonly label: string; readonly ratio: number | null }) => (
  <div title={`${label} in use`}>
    <p class="use">
      <span>
        {label}
        <span class="heard"> in use</span> <EmulatedTag />
      </span>
      <span>{ratio === null ? dash : percent(ratio)}</span>
    </p>
    <Bar part={ratio ?? 0} whole={1} />
  </div>
);
