import { expect, it } from "vitest";
import { decisionTimes, decisionTimesText } from "./decision-times.ts";
import type { NewRecord } from "./journal-records.ts";
import { smallSettings, stamped, subSlot } from "./journals.test-helper.ts";

const trials = [{ number: 1, policy: "edge", repetition: 1, seed: 1 }];
const subSlots = smallSettings.timeSlotCount * smallSettings.subSlotsPerTimeSlot;
/** A server's records, decided after a hundredth of a millisecond for each sub-slot, of which a quarter is its own. */
const server = (devices: number): NewRecord[] =>
  Array.from({ length: subSlots }, (_, index) =>
    subSlot({
      ...{ subSlot: index, devices, reported: devices },
      ...{ begunSeconds: 0.75e-5 * (index + 1), handedSeconds: 1e-5 * (index + 1) },
    }),
  );

it("has the quantiles of all servers, and what of the time is a server's own", () => {
  const journals = new Map([
    ["mec-1", stamped(server(2))],
    ["mec-2", stamped(server(1))],
  ]);
  const times = decisionTimes(smallSettings, trials, journals);
  expect(times).toMatchObject({ decided: 2 * subSlots, deviceSubSlots: 3 * subSlots, missed: 0, missedRatio: 0 });
  expect(times.p50Seconds).toBeCloseTo((1e-5 * subSlots) / 2, 9);
  expect(times.p99Seconds).toBeCloseTo(1e-5 * Math.ceil(0.99 * subSlots), 4);
  expect(times.ownP50Seconds).toBeCloseTo(times.p50Seconds / 4, 9);
});

it("counts the sub-slots of a server that says nothing, and none of trials that did not end", () => {
  const journals = new Map([["mec-1", stamped(server(2))]]);
  expect(decisionTimes(smallSettings, trials, journals)).toMatchObject({ missed: subSlots, missedRatio: 1 / 3 });
  expect(decisionTimes(smallSettings, [], journals)).toMatchObject({ decided: 0, missedRatio: 0 });
});

it("is told in real time", () => {
  const times = {
    ...{ decided: 20, p50Seconds: 0.004, p99Seconds: 0.02, ownP50Seconds: 0.002, ownP99Seconds: 0.01 },
    ...{ deviceSubSlots: 60, missed: 3, missedRatio: 0.05 },
  };
  expect(decisionTimesText(times, 2)).toMatch(
    /p50 2\.0 ms, p99 10\.0 ms .* p50 1\.0 ms, p99 5\.0 ms; 3 of .* 60 .*5\.00 %/,
  );
  expect(decisionTimesText({ ...times, decided: 0 }, 2)).toBe("decisions: none journalled with its time");
});
