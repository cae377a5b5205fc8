import type { LiveDevice } from "@offloadlab/protocol";
import { Bar } from "./bar.tsx";
import { fixed, share } from "./format.ts";
import { OutcomeBar } from "./outcome-bar.tsx";
import { tally } from "./outcomes.ts";

/** Below this share of its capacity a battery is drawn as low. */
const lowCharge = 0.2;

/** One end device, now. */
export const DeviceRow = ({ device }: { readonly device: LiveDevice }) => {
  const { id, online, chargeJoules, capacityJoules, queueLength, processorBusy, radioBusy } = device;
  const tasks = tally(device);
  const low = share(chargeJoules, capacityJoules) < lowCharge;
  return (
    <tr class={online ? undefined : "offline"} data-testid={`device-${id}`}>
      <th scope="row">
        <span class="node">
          <span class="dot" aria-hidden="true" />
          <span class="device-id" title={id}>
            {id}
          </span>
          <span class={online ? "heard" : "offline-note"}>{online ? "online" : "offline"}</span>
        </span>
      </th>
      <td>
        <span class={low ? "low" : undefined}>{fixed(chargeJoules, 1)}</span>
        <span class="of"> / {fixed(capacityJoules, 0)} J</span>
        {low && <span class="heard"> low</span>}
        <Bar part={chargeJoules} whole={capacityJoules} tone={low ? "low" : "charge"} />
      </td>
      <td>{queueLength}</td>
      <td>
        <Lane name="CPU" busy={processorBusy} />
        <Lane name="radio" busy={radioBusy} />
      </td>
      <td>
        {tasks.generated - tasks.open}
        <span class="of"> of {tasks.generated}</span>
        <OutcomeBar tally={tasks} />
      </td>
    </tr>
  );
};

const Lane = ({ name, busy }: { readonly name: string; readonly busy: boolean }) => (
  <span class={busy ? "lane busy" : "lane"} title={`${name} ${busy ? "busy" : "idle"}`}>
    {name}
    <span class="heard">{busy ? " busy " : " idle "}</span>
  </span>
);
