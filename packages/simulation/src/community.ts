import {
  type Action,
  type CommunitySettings,
  communityAt,
  type Device,
  devicesOf,
  edgeDelay,
  edgeEnergy,
  emptyObservation,
  hasExpired,
  instantReward,
  localDelay,
  localEnergy,
  meetsDeadline,
  nextCharge,
  type Observation,
  type Outcome,
  placement,
  type Settings,
  sharedRate,
  shareTolerance,
  type Task,
  taskDelay,
  uploadDelay,
  uploadEnergy,
  withinCharge,
} from "@offloadlab/model";
import {
  type Bits,
  type BitsPerSecond,
  type Cycles,
  type Hertz,
  type Joules,
  joules,
  type Ratio,
  type Seconds,
  seconds,
  type Watts,
} from "@offloadlab/units";
import type { Environment, Step } from "./environment.ts";
import { type EpochTotals, Tally } from "./epoch-totals.ts";
import { Lane } from "./lane.ts";
import { type Latencies, noLatencies } from "./latencies.ts";
import { Queues, timeTolerance } from "./queues.ts";

const noTime = seconds(0);
const noEnergy = joules(0);

/** Is told how a task ends, when that is decided. */
export type TaskListener = (task: TaskEnd) => void;

export interface TaskEnd {
  /** Index of the device. */
  readonly device: number;
  /** Number of the task on its device, from 0, as in its id. */
  readonly number: number;
  readonly outcome: Outcome;
  /** The sub-slot that decided it. */
  readonly subSlot: number;
  /** From generation to the beginning of execution, or to the task's end when it never began. */
  readonly waiting: Seconds;
  readonly delay: Seconds;
  readonly energy: Joules;
}

/**
 * A community of Section III in sub-slots: n devices, each with a FIFO queue, a battery and two lanes, processor and
 * radio, that work in parallel; one server whose bandwidth and clock they share.
 *
 * A sub-slot begins with arrivals; a head-of-line task that is too old expires. The action starts at most one task on each
 * device. A started task runs to its end and costs its whole energy at once; one that costs more than the charge drains
 * the battery, fails, and its device starts nothing in the next sub-slot. The sub-slot ends with the harvest.
 *
 * The epoch's H·T sub-slots end in truncation, for the community lives on. Stepped further, no tasks arrive any more
 * and those that are left come to their end; then it has terminated.
 */
export class Community implements Environment<Observation, Action> {
  // `private`, not `#`, here and in what a sub-slot uses: names with `#` cost a tenth of the time of a simulation.
  readonly settings: Settings;
  readonly communityIndex: number;
  readonly deviceSeed: number;
  readonly communitySettings: CommunitySettings;
  readonly devices: readonly Device[];
  readonly deviceCount: number;
  /** Of the coming sub-slot; the same object for the whole life of the community. */
  readonly observation: Observation;
  private readonly subSlotLength: number;
  private readonly subSlotCount: number;
  private readonly keepsShares: boolean;
  private readonly paysAtCompletion: boolean;
  private readonly onTask: TaskListener | undefined;
  readonly latencies: Latencies;
  private readonly result: { -readonly [K in keyof Step]: Step[K] };

  /** [n] of the devices, where a sub-slot finds them fast */
  private readonly clocks: Float64Array;
  private readonly fullRates: Float64Array;
  private readonly transmitPowers: Float64Array;
  private readonly queues: Queues;
  private readonly processor: Lane;
  private readonly radio: Lane;
  /** [n] when a task in flight needs its bandwidth no more; it keeps its share of the server until the radio is free */
  private readonly uploadUntil: Float64Array;
  /** [n] what the task in flight holds. */
  private readonly bandwidthHeld: Float64Array;
  private readonly computeHeld: Float64Array;
  /** [n] the first sub-slot in which a device whose battery ran empty starts a task again. */
  private readonly usableFrom: Uint32Array;
  private readonly tally = new Tally();
  private current = 0;
  private undecided = 0;
  /** When the last lane is free. */
  private busyUntil = 0;

  /**
   * @param deviceSeed what the devices' constants are drawn from
   * @param latencies what a laboratory takes beyond the theory, which has none
   */
  constructor(
    settings: Settings,
    communityIndex: number,
    deviceSeed: number,
    onTask?: TaskListener,
    latencies: Latencies = noLatencies,
  ) {
    this.settings = settings;
    this.communityIndex = communityIndex;
    this.deviceSeed = deviceSeed;
    this.communitySettings = communityAt(settings, communityIndex);
    this.devices = devicesOf(settings, communityIndex, deviceSeed);
    const n = this.communitySettings.deviceCount;
    this.deviceCount = n;
    this.observation = emptyObservation(n);
    this.devices.forEach(({ distance, clock, fullRate }, j) => {
      this.observation.distance[j] = distance;
      this.observation.clock[j] = clock;
      this.observation.fullRate[j] = fullRate;
    });
    this.onTask = onTask;
    this.latencies = latencies;
    this.subSlotLength = settings.timeSlot / settings.subSlotsPerTimeSlot;
    this.subSlotCount = settings.timeSlotCount * settings.subSlotsPerTimeSlot;
    this.keepsShares = settings.readings.shares === "kept";
    this.paysAtCompletion = settings.readings.reward === "completion";
    this.result = { reward: 0, rewards: new Float64Array(n), terminated: false, truncated: false };
    this.clocks = Float64Array.from(this.devices, ({ clock }) => clock);
    this.fullRates = Float64Array.from(this.devices, ({ fullRate }) => fullRate);
    this.transmitPowers = Float64Array.from(this.devices, ({ transmitPower }) => transmitPower);
    this.queues = new Queues(this.observation);
    this.processor = new Lane(n);
    this.radio = new Lane(n);
    this.uploadUntil = new Float64Array(n);
    this.bandwidthHeld = new Float64Array(n);
    this.computeHeld = new Float64Array(n);
    this.usableFrom = new Uint32Array(n);
  }

  /** Index of the coming sub-slot, from 0. */
  get subSlot(): number {
    return this.current;
  }

  /** Begins an epoch with the tasks of a seed, all batteries full. */
  reset(seed: number): Observation {
    this.queues.draw(this.settings, this.communityIndex, seed);
    return this.begin();
  }

  /**
   * Begins an epoch with given tasks, all batteries full.
   *
   * @param tasks [n] those of each device, in order of arrival
   */
  resetWith(tasks: readonly (readonly Task[])[]): Observation {
    this.queues.take(tasks);
    return this.begin();
  }

  /**
   * Decides on every head-of-line task and lets a sub-slot pass.
   *
   * @returns an object that the next call fills again
   * @throws RangeError when shares break C4 or C5, or a task is offloaded without any
   */
  step(action: Action): Step {
    this.checkShares(action);
    const { observation, deviceCount: n } = this;
    const { waiting, charge, processorBusy, radioBusy } = observation;
    const { placement: places, bandwidthShare, computeShare } = action;
    const { until: processorUntil } = this.processor;
    const { until: radioUntil } = this.radio;
    const uploadUntil = this.uploadUntil;
    const bandwidthHeld = this.bandwidthHeld;
    const computeHeld = this.computeHeld;
    const keepsShares = this.keepsShares;
    const paysAtCompletion = this.paysAtCompletion;
    const { harvested, capacity } = this.communitySettings.device;
    const step = this.result;
    const { rewards } = step;
    const now = this.current * this.subSlotLength;
    this.current++;
    const next = this.current * this.subSlotLength;
    let total = 0;
    let bandwidthInUse = 0;
    let computeInUse = 0;

    for (let j = 0; j < n; j++) {
      rewards[j] = 0;
      let spent = noEnergy;
      if (waiting[j] === 1) {
        const where = places[j];
        if (where === placement.local && processorBusy[j] === 0) spent = this.runLocally(j, now);
        else if (where === placement.edge && radioBusy[j] === 0) {
          spent = this.offload(j, now, bandwidthShare[j] as number, computeShare[j] as number);
        }
      }
      const before = charge[j] as Joules;
      // Most batteries are full and stay so.
      if (before !== capacity || spent !== 0) charge[j] = nextCharge(before, harvested, spent, capacity);

      // Numbers instead of branches, which no processor can foresee here.
      const radio = Number((radioUntil[j] as number) > next);
      processorBusy[j] = Number((processorUntil[j] as number) > next);
      radioBusy[j] = radio;
      bandwidthInUse += (bandwidthHeld[j] as number) * Number((uploadUntil[j] as number) > next);
      computeInUse += (computeHeld[j] as number) * radio;
      if (paysAtCompletion) {
        if (processorBusy[j] === 0) this.reward(j, this.processor.collect(j));
        if (radioBusy[j] === 0) this.reward(j, this.radio.collect(j));
      }
      this.observe(j, next);
      total += rewards[j] as number;
    }
    observation.bandwidthInUse = keepsShares ? bandwidthInUse : 0;
    observation.computeInUse = keepsShares ? computeInUse : 0;
    step.reward = total;
    step.truncated = this.current >= this.subSlotCount;
    step.terminated = step.truncated && this.undecided === 0 && this.busyUntil <= next;
    return step;
  }

  /**
   * Goes on from where another community is, with the tasks that will arrive there: no step of either changes the other.
   *
   * @param other one with the same devices; readings may differ, but rewards that a `completion` still owes are then lost
   * @throws RangeError when its devices are others
   */
  copyFrom(other: Community): void {
    if (other.communityIndex !== this.communityIndex || other.deviceSeed !== this.deviceSeed) {
      throw new RangeError(
        `Expected community ${this.communityIndex} with devices of seed ${this.deviceSeed}, got ${other.communityIndex} of ${other.deviceSeed}`,
      );
    }
    this.queues.copyFrom(other.queues);
    this.processor.copyFrom(other.processor);
    this.radio.copyFrom(other.radio);
    this.uploadUntil.set(other.uploadUntil);
    this.bandwidthHeld.set(other.bandwidthHeld);
    this.computeHeld.set(other.computeHeld);
    this.usableFrom.set(other.usableFrom);
    this.tally.copyFrom(other.tally);
    this.current = other.current;
    this.undecided = other.undecided;
    this.busyUntil = other.busyUntil;
    const { observation } = this;
    observation.waiting.set(other.observation.waiting);
    observation.dataSize.set(other.observation.dataSize);
    observation.work.set(other.observation.work);
    observation.age.set(other.observation.age);
    observation.charge.set(other.observation.charge);
    observation.processorBusy.set(other.observation.processorBusy);
    observation.radioBusy.set(other.observation.radioBusy);
    observation.queueLength.set(other.observation.queueLength);
    observation.bandwidthInUse = other.observation.bandwidthInUse;
    observation.computeInUse = other.observation.computeInUse;
  }

  /** Sums over the tasks that have been decided so far; all of the epoch's once it has terminated. */
  totals(): EpochTotals {
    return this.tally.totals();
  }

  /** The state at time 0 of the tasks in the table. */
  private begin(): Observation {
    const { observation } = this;
    this.tally.clear();
    this.uploadUntil.fill(0);
    this.processor.clear();
    this.radio.clear();
    this.usableFrom.fill(0);
    this.current = 0;
    this.undecided = this.queues.taskCount;
    this.busyUntil = 0;
    observation.charge.fill(this.communitySettings.device.capacity);
    observation.processorBusy.fill(0);
    observation.radioBusy.fill(0);
    observation.bandwidthInUse = 0;
    observation.computeInUse = 0;
    for (let j = 0; j < this.deviceCount; j++) this.observe(j, 0);
    return observation;
  }

  /** C4 and C5. */
  private checkShares({ bandwidthShare, computeShare }: Action): void {
    let bandwidth = this.observation.bandwidthInUse;
    let compute = this.observation.computeInUse;
    let least = 0;
    for (let j = 0; j < this.deviceCount; j++) {
      bandwidth += bandwidthShare[j] as number;
      compute += computeShare[j] as number;
      least = Math.min(least, bandwidthShare[j] as number, computeShare[j] as number);
    }
    if (least < 0) throw new RangeError(`Expected shares of at least 0 in sub-slot ${this.current}, got ${least}`);
    const most = 1 + shareTolerance;
    if (!(bandwidth <= most && compute <= most)) {
      throw new RangeError(
        `Expected shares of at most 1 in sub-slot ${this.current}, those in flight included, got ${bandwidth} of B and ${compute} of F`,
      );
    }
  }

  /** Starts the head-of-line task on the device, now. Returns what that takes from the battery. */
  private runLocally(j: number, now: number): Joules {
    const { observation } = this;
    const work = observation.work[j] as Cycles;
    const age = observation.age[j] as Seconds;
    const charge = observation.charge[j] as Joules;
    const clock = this.clocks[j] as Hertz;
    const energy = localEnergy(work, clock, this.communitySettings.device.k);
    if (!withinCharge(energy, charge)) return this.drain(j, age, charge);
    const { start, local } = this.latencies;
    const execution = (localDelay(work, clock) + local) as Seconds;
    const waiting = (age + start) as Seconds;
    const delay = taskDelay(false, execution, noTime, noTime, waiting);
    const reward = this.decide(j, this.judged(delay, "completed-local"), waiting, delay, energy);
    this.occupy(this.processor, j, now + start + execution, reward);
    return energy;
  }

  /** Starts the upload of the head-of-line task, now. Returns what that takes from the battery. */
  private offload(j: number, now: number, bandwidthShare: number, computeShare: number): Joules {
    if (!(bandwidthShare > 0 && computeShare > 0)) throw this.withoutShares(j, bandwidthShare, computeShare);
    const { observation } = this;
    const { serverClock, serverPower } = this.communitySettings;
    const age = observation.age[j] as Seconds;
    const charge = observation.charge[j] as Joules;
    // Both are at most 1: their sums have been checked.
    const rate = sharedRate(this.fullRates[j] as BitsPerSecond, bandwidthShare as Ratio);
    const upload = uploadDelay(observation.dataSize[j] as Bits, rate);
    const execution = edgeDelay(observation.work[j] as Cycles, computeShare as Ratio, serverClock);
    const energy = (uploadEnergy(this.transmitPowers[j] as Watts, upload) +
      edgeEnergy(serverPower, execution)) as Joules;
    if (!withinCharge(energy, charge)) return this.drain(j, age, charge);
    const { start, edge } = this.latencies;
    const waiting = (age + start) as Seconds;
    const delay = taskDelay(true, noTime, upload, (execution + edge) as Seconds, waiting);
    const outcome = this.judged(delay, "completed-edge");
    const reward = this.decide(j, outcome, (waiting + upload) as Seconds, delay, energy);
    this.uploadUntil[j] = now + start + upload;
    this.bandwidthHeld[j] = bandwidthShare;
    this.computeHeld[j] = computeShare;
    this.occupy(this.radio, j, now + start + upload + execution + edge, reward);
    return energy;
  }

  private withoutShares(j: number, bandwidthShare: number, computeShare: number): RangeError {
    const got = `${bandwidthShare} of B and ${computeShare} of F for ${this.devices[j]?.id}`;
    return new RangeError(`Expected shares above 0 for a task that is offloaded, got ${got}`);
  }

  /**
   * C3 does not hold: the task fails with the end of the sub-slot, without having been executed, and costs all the charge
   * there is; the device loses the next sub-slot.
   */
  private drain(j: number, age: Seconds, charge: Joules): Joules {
    this.usableFrom[j] = this.current + 1;
    const end = (age + this.subSlotLength) as Seconds;
    this.reward(j, this.decide(j, "drained", end, end, charge));
    return charge;
  }

  /** C2: a success keeps to the deadline. */
  private judged(delay: Seconds, success: Outcome): Outcome {
    return meetsDeadline(delay, this.settings.deadline) ? success : "late";
  }

  /** Books how the head-of-line task ends, and takes it out of its queue. Returns its reward. */
  private decide(j: number, outcome: Outcome, waiting: Seconds, delay: Seconds, energy: Joules): number {
    const { demand, device } = this.communitySettings;
    const reward = instantReward(demand, outcome, delay, energy, device.capacity);
    this.tally.add(outcome, reward, energy, waiting);
    this.undecided--;
    if (this.onTask !== undefined) {
      const number = this.queues.numberOfHead(j);
      this.onTask({ device: j, number, outcome, subSlot: this.current - 1, waiting, delay, energy });
    }
    this.queues.removeHead(j);
    return reward;
  }

  /** Keeps a lane busy with a task, and pays for it, at once or when the lane is free again. */
  private occupy(lane: Lane, j: number, until: number, reward: number): void {
    lane.until[j] = until;
    if (until > this.busyUntil) this.busyUntil = until;
    if (this.paysAtCompletion) lane.owed[j] = reward;
    else this.reward(j, reward);
  }

  private reward(j: number, reward: number): void {
    const { rewards } = this.result;
    rewards[j] = (rewards[j] as number) + reward;
  }

  /** Arrivals, expiry and what a policy sees of a device at the start of a sub-slot. */
  private observe(j: number, time: number): void {
    const queues = this.queues;
    let age = queues.show(j, time);
    while (age >= 0 && hasExpired((age + timeTolerance) as Seconds, this.settings.deadline)) {
      this.reward(j, this.decide(j, "expired", age as Seconds, age as Seconds, noEnergy));
      age = queues.show(j, time);
    }
    if (age >= 0 && this.current < (this.usableFrom[j] as number)) queues.hide(j);
  }
}
