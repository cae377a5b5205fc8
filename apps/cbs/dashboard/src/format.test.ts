import { describe, expect, it } from "vitest";
import { aboutDuration, clockSpeed, decimalsFor, duration, fixed, fixedOrDash, percent, share } from "./format.ts";

describe("numbers", () => {
  it("use a true minus sign and know no negative zero", () => {
    expect(fixed(-1.25, 1)).toBe("−1.3");
    expect(fixed(-0.001, 2)).toBe("0.00");
    expect(fixed(3, 2)).toBe("3.00");
  });

  it("are a dash when there is none", () => {
    expect(fixedOrDash(null, 2)).toBe("–");
    expect(fixedOrDash(Number.NaN, 2)).toBe("–");
    expect(percent(Number.NaN)).toBe("–");
  });

  it("show about three significant digits of the largest of a column", () => {
    expect(decimalsFor([])).toBe(3);
    expect(decimalsFor([-9.9, 2])).toBe(3);
    expect(decimalsFor([-12, 2])).toBe(2);
    expect(decimalsFor([120])).toBe(1);
    expect(decimalsFor([5000])).toBe(0);
  });

  it("keep a share above one visible as a figure and within its bar", () => {
    expect(percent(1.2)).toBe("120 %");
    expect(share(1.2, 1)).toBe(1);
    expect(share(-1, 1)).toBe(0);
    expect(share(1, 0)).toBe(0);
  });
});

describe("durations", () => {
  it("show the two largest units", () => {
    expect(duration(8.4)).toBe("8 s");
    expect(duration(185)).toBe("3 min 05 s");
    expect(duration(59.7)).toBe("1 min 00 s");
    expect(duration(4320)).toBe("1 h 12 min");
  });

  it("are rounded to minutes where they are a guess", () => {
    expect(aboutDuration(814)).toBe("14 min");
    expect(aboutDuration(4320)).toBe("1 h 12 min");
    expect(aboutDuration(61)).toBe("1 min 01 s");
  });

  it("never go below zero", () => {
    expect(duration(-3)).toBe("0 s");
  });
});

it("names the clock's speed", () => {
  expect(clockSpeed(1)).toBe("clock at real time");
  expect(clockSpeed(2)).toBe("clock 2× real time");
  expect(clockSpeed(0.5)).toBe("clock 0.5× real time");
});
