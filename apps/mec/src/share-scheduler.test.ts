import { inferenceCount } from "@offloadlab/classifier";
import { Clock, EmulatedProcessor, type Processor, unixNow } from "@offloadlab/hardware";
import { cycles, hertz, seconds } from "@offloadlab/units";
import fc from "fast-check";
import { expect, it } from "vitest";
import { nextJob, ShareScheduler, window } from "./share-scheduler.ts";

const rate = hertz(8e9);
const quantum = cycles(40e6);

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number;

/** A job with some of its quanta served. */
const job = fc
  .record({
    start: fc.double({ min: 0, max: 10, noNaN: true }),
    share: fc.double({ min: 0.01, max: 1, noNaN: true }),
    work: fc.double({ min: 1e6, max: 2e9, noNaN: true }),
    served: fc.nat(),
  })
  .map(({ start, share, work, served }) => {
    const quanta = inferenceCount(cycles(work), quantum);
    return { start: seconds(start), share, work: cycles(work), quanta, served: served % quanta };
  });
const jobs = fc.array(job, { minLength: 1, maxLength: 8 });
const time = fc.double({ min: 0, max: 12, noNaN: true }).map(seconds);

it("of the eligible jobs the one with the earliest deadline is next", () => {
  let eligibleCases = 0;
  fc.assert(
    fc.property(jobs, time, (all, now) => {
      const eligible = all.filter((each) => window(each, rate).eligible <= now);
      if (eligible.length === 0) return;
      eligibleCases += 1;
      const next = nextJob(all, now, rate);
      expect(eligible).toContain(next);
      const deadline = window(next as (typeof all)[number], rate).deadline;
      for (const each of eligible) expect(deadline).toBeLessThanOrEqual(window(each, rate).deadline);
    }),
    { numRuns: 500 },
  );
  expect(eligibleCases).toBeGreaterThan(100);
});

it("when no job is eligible, the one that will be first is next", () => {
  fc.assert(
    fc.property(jobs, (all) => {
      const before = seconds(-1);
      const next = nextJob(all, before, rate) as (typeof all)[number];
      for (const each of all) expect(window(next, rate).eligible).toBeLessThanOrEqual(window(each, rate).eligible);
    }),
  );
  expect(nextJob([], seconds(0), rate)).toBeUndefined();
});

it("a job's windows follow each other without a gap and end at its start plus C / (β · F)", () => {
  fc.assert(
    fc.property(job, ({ start, share, work, quanta }) => {
      let end: number = start;
      for (let served = 0; served < quanta; served += 1) {
        const { eligible, deadline } = window({ start, share, work, quanta, served }, rate);
        expect(Math.abs(eligible - end)).toBeLessThan(1e-9);
        expect(deadline).toBeGreaterThan(eligible);
        end = deadline;
      }
      expect(Math.abs(end - (start + work / (share * rate)))).toBeLessThan(1e-9);
    }),
  );
});

const schedulerAt = (speed: number) => {
  const clock = new Clock(unixNow(), speed);
  return { clock, scheduler: new ShareScheduler(clock, new EmulatedProcessor(clock, rate), quantum) };
};

it("tenants that always have work get their shares of 0.5, 0.3 and 0.2 of the cycles, within 5 % each", async () => {
  const { clock, scheduler } = schedulerAt(2);
  const achieved = await Promise.all(
    [0.5, 0.3, 0.2].map(async (share) => {
      const start = clock.now();
      let done = 0;
      while (clock.now() - start < 6) {
        await scheduler.execute(cycles(1.1e9), share);
        done += 1.1e9;
      }
      return done / (rate * (clock.now() - start)) / share;
    }),
  );
  for (const ofShare of achieved) {
    expect(ofShare).toBeGreaterThan(0.95);
    // A share is a limit as well.
    expect(ofShare).toBeLessThan(1.001);
  }
}, 20_000);

it("Eq. (6): a lone job at a third of the server takes C / (F / 3), no less, and at most 3 % more", async () => {
  const { scheduler } = schedulerAt(2);
  const ratios: number[] = [];
  for (let run = 0; run < 5; run += 1) {
    const work = 1e9 + run * 0.05e9;
    const { delay, achievedShare, queue } = await scheduler.execute(cycles(work), 1 / 3);
    const ratio = delay / (work / (rate / 3));
    expect(ratio).toBeGreaterThan(1 - 1e-6);
    expect(achievedShare).toBeCloseTo(1 / 3 / ratio, 9);
    expect(queue).toBeGreaterThanOrEqual(0);
    expect(queue).toBeLessThan(delay);
    ratios.push(ratio);
  }
  expect(median(ratios)).toBeLessThan(1.03);
}, 20_000);

it("a job that comes while another waits for its window is begun at once", async () => {
  const { clock, scheduler } = schedulerAt(1);
  // 40 Mcycles at 1 % of 8 GHz: after its first quantum it waits half a second.
  const slow = scheduler.execute(cycles(80e6), 0.01);
  await clock.sleep(seconds(0.02));
  const { delay, queue } = await scheduler.execute(cycles(400e6), 0.5);
  expect(queue).toBeLessThan(0.05);
  expect(delay).toBeLessThan(0.25);
  expect((await slow).delay).toBeGreaterThanOrEqual(1 - 1e-6);
});

it("a job shorter than a quantum and one of exactly a quantum end as their shares say", async () => {
  const { scheduler } = schedulerAt(1);
  const [short, exact] = await Promise.all([scheduler.execute(cycles(4e6), 0.05), scheduler.execute(quantum, 0.5)]);
  expect(short.delay).toBeGreaterThanOrEqual(4e6 / (0.05 * rate) - 1e-9);
  expect(exact.delay).toBeGreaterThanOrEqual(40e6 / (0.5 * rate) - 1e-9);
});

it("a job whose quantum fails is over, and the others go on", async () => {
  const clock = new Clock(unixNow(), 50);
  let quanta = 0;
  const emulated = new EmulatedProcessor(clock, rate);
  const mortal: Processor = {
    rate,
    run: (work, from) => {
      quanta += 1;
      return quanta === 3 ? Promise.reject("the inference process ended") : emulated.run(work, from);
    },
  };
  const scheduler = new ShareScheduler(clock, mortal, quantum);
  const ends = await Promise.allSettled([1, 2].map(() => scheduler.execute(cycles(4e8), 0.5)));
  expect(ends.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect((await scheduler.execute(cycles(4e7), 1)).delay).toBeGreaterThan(0);
});
