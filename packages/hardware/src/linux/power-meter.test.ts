import { seconds } from "@offloadlab/units";
import { afterEach, beforeEach, expect, it } from "vitest";
import { BoardTree } from "./board-tree.test-helper.ts";
import { type MeterWiring, openMeter } from "./power-meter.ts";

let board: BoardTree;
beforeEach(() => {
  board = new BoardTree();
});
afterEach(() => board.remove());

const ina226: MeterWiring = { kind: "ina226", address: "1-0040", shuntOhms: 0.02, gainError: 0.01 };
const vddIn: MeterWiring = { kind: "ina3221", address: "0-0041", rail: "VDD_IN", gainError: 0.02 };
const gauge: MeterWiring = { kind: "power-supply", address: "battery", gainError: 0.05 };

const meters = [
  { name: "an INA226 in hwmon", wiring: ina226, add: () => board.addIna226(2, "1-0040"), watts: 5.1 * 0.612 },
  { name: "an INA3221 in IIO", wiring: vddIn, add: () => board.addRailInIio(), watts: 19.08 * 0.304 },
  { name: "an INA3221 in hwmon", wiring: vddIn, add: () => board.addRailInHwmon(), watts: 19.08 * 0.304 },
  { name: "a battery gauge", wiring: gauge, add: () => board.addGauge(), watts: 3.9 * 0.8 },
];

it.each(meters)(
  "$name gives volts times amperes, with the steps of both and the time of its conversion",
  async (meter) => {
    meter.add();
    const sample = await openMeter(board.system, meter.wiring, () => seconds(100)).read();
    expect(sample.power).toBeCloseTo(meter.watts, 9);
    expect(sample.resolution).toBeGreaterThan(0);
    expect(sample.resolution).toBeLessThan(0.05);
    expect([sample.time, sample.conversion > 0]).toEqual([100, true]);
  },
);

it("a chip of another kind at the address is none of this meter's", async () => {
  board.addIna226(2, "1-0040", { name: "lm75" });
  await expect(openMeter(board.system, ina226).read()).rejects.toMatchObject({
    code: "sensor/absent",
    message: expect.stringContaining("lm75"),
  });
});

it("power1_input is not looked at: its steps are 25 mW", async () => {
  const folder = board.addIna226(2, "1-0040");
  const meter = openMeter(board.system, ina226);
  const { power } = await meter.read();
  board.write({ [`${folder}/power1_input`]: 99_000_000 });
  expect((await meter.read()).power).toBe(power);
  board.breakFile(`${folder}/power1_input`);
  expect((await meter.read()).power).toBe(power);
});

it("the driver's default shunt of 10 mΩ on a board with 20 mΩ is refused, with the command that mends it", async () => {
  board.addIna226(2, "1-0040", { shunt_resistor: 10_000 });
  await expect(openMeter(board.system, ina226).read()).rejects.toMatchObject({
    code: "sensor/implausible",
    message: expect.stringMatching(/expected 20000 µΩ, got 10000.*echo 20000 >/),
  });
});

it("an INA226 without update_interval is no INA226; an INA219 has none", async () => {
  const folder = board.addIna226(2, "1-0040");
  board.remove(`${folder}/update_interval`);
  await expect(openMeter(board.system, ina226).read()).rejects.toMatchObject({ code: "sensor/absent" });
  board.write({ [`${folder}/name`]: "ina219" });
  const sample = await openMeter(board.system, { ...ina226, kind: "ina219" }).read();
  expect([sample.power, sample.conversion]).toEqual([expect.closeTo(5.1 * 0.612, 9), 0.068]);
});

it("a load that gives current is implausible, but for the chip's offset; nothing is clamped", async () => {
  const folder = board.addIna226(2, "1-0040", { curr1_input: -3 });
  const meter = openMeter(board.system, ina226);
  expect((await meter.read()).power).toBeCloseTo(-0.0153, 9);
  board.write({ [`${folder}/curr1_input`]: -600 });
  await expect(meter.read()).rejects.toMatchObject({
    code: "sensor/implausible",
    message: expect.stringContaining("swapped"),
  });
  board.write({ [`${folder}/curr1_input`]: 600, [`${folder}/in1_input`]: 65_000 });
  await expect(meter.read()).rejects.toMatchObject({
    code: "sensor/implausible",
    message: expect.stringContaining("65 V"),
  });
});

it("a rail that the chip has not is absent", async () => {
  board.addRailInIio();
  await expect(openMeter(board.system, { ...vddIn, rail: "VDD_CPU" }).read()).rejects.toMatchObject({
    code: "sensor/absent",
    message: expect.stringContaining("VDD_IN at 0-0041"),
  });
});

it("a gauge that charges, or measures no current, measures no load", async () => {
  const folder = board.addGauge({ status: "Charging" });
  await expect(openMeter(board.system, gauge).read()).rejects.toMatchObject({ code: "sensor/implausible" });
  board.remove(`${folder}/current_now`);
  await expect(openMeter(board.system, gauge).read()).rejects.toMatchObject({
    code: "sensor/absent",
    message: expect.stringContaining("INA226"),
  });
});

it("an INA3221 that converts continuously gives means of 422 ms", async () => {
  const folder = board.addRailInIio();
  expect((await openMeter(board.system, vddIn).read()).conversion).toBe(0.0022);
  board.write({ [`${folder}/running_mode`]: 1 });
  expect((await openMeter(board.system, vddIn).read()).conversion).toBe(0.422);
  board.breakFile(`${folder}/running_mode`);
  await expect(openMeter(board.system, vddIn).read()).rejects.toMatchObject({ code: "sensor/unreadable" });
});
