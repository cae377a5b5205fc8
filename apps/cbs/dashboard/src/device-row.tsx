import type { LiveDevice, LiveLink } from "@offloadlab/protocol";
import { Bar } from "./bar.tsx";
import { fixed, share } from "./format.ts";
import { OutcomeBar } from "./outcome-bar.tsx";
import { tally } from "./outcomes.ts";

/** Below this share of its capacity a battery is drawn as low. */
const lowCharge = 0.2;

/** One end device, now. */
export const DeviceRow = ({ device }: { readonly device: LiveDevice }) => {
  const { id, online, chargeJoules, capacityJoules, queueLength, processorBusy, radioBusy, link } = device;
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
        {link !== null && <Rate link={link} />}
      </td>
      <td>
        {tasks.generated - tasks.open}
        <span class="of"> of {tasks.generated}</span>
        <OutcomeBar tally={tasks} />
      </td>
    </tr>
  );
};

/** Errors of clocks and timers: a rate that differs by less is the theory's. */
const negligible = 0.05;

/** The link's rate over the theory's, drawn as low when its uploads are sure that it is another. */
const Rate = ({ link: { rateRatio, uncertaintyRatio, uploads } }: { readonly link: LiveLink }) => {
  const isOff = uncertaintyRatio !== null && Math.abs(rateRatio - 1) > Math.max(uncertaintyRatio, negligible);
  const bound = uncertaintyRatio === null ? "" : ` ± ${fixed(100 * uncertaintyRatio, 0)}`;
  return (
    <span
      class={isOff ? "link-rate low" : "link-rate of"}
      title={`effective rate over the theory's, of the last ${uploads} uploads`}
    >
      {fixed(100 * rateRatio, 0)}
      {bound} %
    </span>
  );
};

const Lane = ({ name, busy }: { readonly name: string; readonly busy: boolean }) => (
  <span class={busy ? "lane busy" : "lane"} title={`${name} ${busy ? "busy" : "idle"}`}>
    {name}
    <span class="heard">{busy ? " busy " : " idle "}</span>
  </span>
);
