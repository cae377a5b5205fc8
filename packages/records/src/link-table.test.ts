import { expect, it } from "vitest";
import { service, stamped } from "./journals.test-helper.ts";
import { deviceLinks, deviceLinksText } from "./link-table.ts";

/** Uploads of a device at a part of the theory's rate, each a little off. */
const uploads = (device: string, rateRatio: number, trial = 1) =>
  Array.from({ length: 10 }, (_, index) =>
    service(`${device}-${index}`, {
      trial,
      theoreticalUploadSeconds: 0.2,
      uploadSeconds: (0.2 + (index % 3) / 1000) / rateRatio,
    }),
  );

it("names the device whose link surely differs from the theory, and no other", () => {
  const links = deviceLinks(
    new Map([["mec-1", stamped([...uploads("ed-1-2", 1, 0), ...uploads("ed-1-2", 0.5), ...uploads("ed-1-1", 1)])]]),
  );
  expect(links.map(({ device }) => device)).toEqual(["ed-1-1", "ed-1-2"]);
  expect(links[0]?.correctionRatio).toBe(1);
  expect(links[1]?.correctionRatio).toBeCloseTo(0.5, 1);
  expect(deviceLinksText(links).join("\n")).toMatch(
    /^link rates over Eq\. \(1\)'s: 1 of 2 devices .*, but\n {2}ed-1-2: 0\.49\d ± 0\.0\d\d by its last 10 uploads$/,
  );
});

it("says nothing of a run without uploads", () => {
  expect(deviceLinksText(deviceLinks(new Map()))).toEqual([]);
});
