import {
  type Action,
  type CommunitySettings,
  communityAt,
  type Device,
  devicesOf,
  drawTasks,
  edgeDelay,
  edgeEnergy,
  emptyObservation,
  hasExpired,
  instantReward,
  isSuccess,
  localDelay,
  localEnergy,
  meetsDeadline,
  nextCharge,
  type Observation,
  type Outcome,
  outcomes,
  placement,
  type Settings,
  sharedRate,
  shareTolerance,
  type Task,
  TaskTable,
  taskDelay,
  uploadDelay,
  uploadEnergy,
  withinCharge,
} from "@offloadlab/model";
import { bits, cycles, type Joules, joules, ratio, type Seconds, seconds } from "@offloadlab/units";
import type { Environment, Step } from "./environment.ts";
import { type Latencies, noLatencies } from "./latencies.ts";

/** Arrivals are at starts of sub-slots: what rounding may move them. */
const arrivalTolerance = 1e-9;
/** No task. */
const none = -1;

const outcomeIndex = Object.fromEntries(outcomes.map((outcome, index) => [outcome, index])) as Record<Outcome, number>;
const noTime = seconds(0);

/** The sums of an epoch over the tasks that have been decided. */
export interface EpochTotals {
  readonly tasks: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Undiscounted. */
  readonly reward: number;
  readonly energyJoules: number;
  readonly waitingSeconds: number;
}

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
  readonly settings: Settings;
  readonly communityIndex: number;
  readonly deviceSeed: number;
  readonly communitySettings: CommunitySettings;
  readonly devices: readonly Device[];
  readonly deviceCount: number;
  /** Of the coming sub-slot; the same object for the whole life of the community. */
  readonly observation: Observation;
  readonly #subSlotLength: number;
  readonly #subSlotCount: number;
  readonly #keepsShares: boolean;
  readonly #paysAtCompletion: boolean;
  readonly #onTask: TaskListener | undefined;
  readonly latencies: Latencies;
  readonly #step: { -readonly [K in keyof Step]: Step[K] };

  readonly #table = new TaskTable();
  /** [n + 1] the tasks of device j are those from `first[j]` to before `first[j + 1]`. */
  readonly #first: Uint32Array;
  /** [n] the head of the line, or the next to arrive. */
  readonly #head: Uint32Array;
  /** [n] the next task to arrive. */
  readonly #next: Uint32Array;
  /** [n] when it arrives, in seconds of the epoch */
  readonly #nextArrival: Float64Array;
  /** [n] the task that the observation shows, and when it arrived */
  readonly #shown: Int32Array;
  readonly #shownArrival: Float64Array;
  /** [n] when a lane is free again, in seconds of the epoch. */
  readonly #processorUntil: Float64Array;
  readonly #radioUntil: Float64Array;
  /** [n] when a task in flight needs its bandwidth no more; it keeps its share of the server until the radio is free */
  readonly #uploadUntil: Float64Array;
  /** [n] what the task in flight holds. */
  readonly #bandwidthHeld: Float64Array;
  readonly #computeHeld: Float64Array;
  /** [n] rewards of tasks that run, while they are paid at completion. */
  readonly #processorReward: Float64Array;
  readonly #radioReward: Float64Array;
  /** [n] the first sub-slot in which a device whose battery ran empty starts a task again. */
  readonly #usableFrom: Uint32Array;
  /** By `outcomes`. */
  readonly #counts = new Uint32Array(outcomes.length);
  /** Reward, energy, waiting time of the tasks that have been decided. */
  readonly #sums = new Float64Array(3);
  #subSlot = 0;
  #undecided = 0;
  /** When the last lane is free. */
  #busyUntil = 0;

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
    this.devices.forEach(({ distance }, j) => {
      this.observation.distance[j] = distance;
    });
    this.#onTask = onTask;
    this.latencies = latencies;
    this.#subSlotLength = settings.timeSlot / settings.subSlotsPerTimeSlot;
    this.#subSlotCount = settings.timeSlotCount * settings.subSlotsPerTimeSlot;
    this.#keepsShares = settings.readings.shares === "kept";
    this.#paysAtCompletion = settings.readings.reward === "completion";
    this.#step = { reward: 0, rewards: new Float64Array(n), terminated: false, truncated: false };
    this.#first = new Uint32Array(n + 1);
    this.#head = new Uint32Array(n);
    this.#next = new Uint32Array(n);
    this.#nextArrival = new Float64Array(n);
    this.#shown = new Int32Array(n);
    this.#shownArrival = new Float64Array(n);
    this.#processorUntil = new Float64Array(n);
    this.#radioUntil = new Float64Array(n);
    this.#uploadUntil = new Float64Array(n);
    this.#bandwidthHeld = new Float64Array(n);
    this.#computeHeld = new Float64Array(n);
    this.#processorReward = new Float64Array(n);
    this.#radioReward = new Float64Array(n);
    this.#usableFrom = new Uint32Array(n);
  }

  /** Index of the coming sub-slot, from 0. */
  get subSlot(): number {
    return this.#subSlot;
  }

  /** Begins an epoch with the tasks of a seed, all batteries full. */
  reset(seed: number): Observation {
    this.#table.clear();
    for (let j = 0; j < this.deviceCount; j++) {
      this.#first[j] = this.#table.length;
      drawTasks(this.#table, this.settings, this.communityIndex, j, seed);
    }
    this.#first[this.deviceCount] = this.#table.length;
    return this.#begin();
  }

  /**
   * Begins an epoch with given tasks, all batteries full.
   *
   * @param tasks [n] those of each device, in order of arrival
   */
  resetWith(tasks: readonly (readonly Task[])[]): Observation {
    this.#table.clear();
    for (let j = 0; j < this.deviceCount; j++) {
      this.#first[j] = this.#table.length;
      for (const { arrival, dataSize, work, image } of tasks[j] ?? []) this.#table.push(arrival, dataSize, work, image);
    }
    this.#first[this.deviceCount] = this.#table.length;
    return this.#begin();
  }

  /**
   * Decides on every head-of-line task and lets a sub-slot pass.
   *
   * @returns an object that the next call fills again
   * @throws RangeError when shares break C4 or C5, or a task is offloaded without any
   */
  step(action: Action): Step {
    this.#checkShares(action);
    const { observation, devices, deviceCount: n } = this;
    const { waiting, charge, processorBusy, radioBusy } = observation;
    const { placement: places, bandwidthShare, computeShare } = action;
    const processorUntil = this.#processorUntil;
    const radioUntil = this.#radioUntil;
    const uploadUntil = this.#uploadUntil;
    const bandwidthHeld = this.#bandwidthHeld;
    const computeHeld = this.#computeHeld;
    const keepsShares = this.#keepsShares;
    const { harvested, capacity } = this.communitySettings.device;
    const step = this.#step;
    const { rewards } = step;
    const now = seconds(this.#subSlot * this.#subSlotLength);
    this.#subSlot++;
    const next = seconds(this.#subSlot * this.#subSlotLength);
    let total = 0;
    let bandwidthInUse = 0;
    let computeInUse = 0;

    for (let j = 0; j < n; j++) {
      rewards[j] = 0;
      let spent = joules(0);
      if (waiting[j] === 1) {
        const where = places[j];
        if (where === placement.local && processorBusy[j] === 0) spent = this.#runLocally(j, devices[j] as Device, now);
        else if (where === placement.edge && radioBusy[j] === 0) {
          spent = this.#offload(j, devices[j] as Device, now, bandwidthShare[j] as number, computeShare[j] as number);
        }
      }
      charge[j] = nextCharge(joules(charge[j] as number), harvested, spent, capacity);

      processorBusy[j] = (processorUntil[j] as number) > next ? 1 : 0;
      radioBusy[j] = (radioUntil[j] as number) > next ? 1 : 0;
      if (this.#paysAtCompletion) this.#payWhatEnded(j);
      if (keepsShares && radioBusy[j] === 1) {
        if ((uploadUntil[j] as number) > next) bandwidthInUse += bandwidthHeld[j] as number;
        computeInUse += computeHeld[j] as number;
      }
      this.#observe(j, next);
      total += rewards[j] as number;
    }
    observation.bandwidthInUse = bandwidthInUse;
    observation.computeInUse = computeInUse;
    step.reward = total;
    step.truncated = this.#subSlot >= this.#subSlotCount;
    step.terminated = step.truncated && this.#undecided === 0 && this.#busyUntil <= next;
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
    this.#table.copyFrom(other.#table);
    this.#first.set(other.#first);
    this.#head.set(other.#head);
    this.#next.set(other.#next);
    this.#nextArrival.set(other.#nextArrival);
    this.#shown.set(other.#shown);
    this.#shownArrival.set(other.#shownArrival);
    this.#processorUntil.set(other.#processorUntil);
    this.#radioUntil.set(other.#radioUntil);
    this.#uploadUntil.set(other.#uploadUntil);
    this.#bandwidthHeld.set(other.#bandwidthHeld);
    this.#computeHeld.set(other.#computeHeld);
    this.#processorReward.set(other.#processorReward);
    this.#radioReward.set(other.#radioReward);
    this.#usableFrom.set(other.#usableFrom);
    this.#counts.set(other.#counts);
    this.#sums.set(other.#sums);
    this.#subSlot = other.#subSlot;
    this.#undecided = other.#undecided;
    this.#busyUntil = other.#busyUntil;
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
    const [reward = 0, energyJoules = 0, waitingSeconds = 0] = this.#sums;
    const counts = Object.fromEntries(outcomes.map((outcome, index) => [outcome, this.#counts[index]]));
    const tasks = this.#table.length - this.#undecided;
    return { tasks, outcomes: counts as Record<Outcome, number>, reward, energyJoules, waitingSeconds };
  }

  /** The state at time 0 of the tasks in the table. */
  #begin(): Observation {
    const { observation } = this;
    this.#counts.fill(0);
    this.#sums.fill(0);
    this.#head.set(this.#first.subarray(0, this.deviceCount));
    this.#next.set(this.#head);
    this.#nextArrival.fill(0);
    this.#shown.fill(none);
    this.#processorUntil.fill(0);
    this.#radioUntil.fill(0);
    this.#processorReward.fill(0);
    this.#radioReward.fill(0);
    this.#usableFrom.fill(0);
    this.#subSlot = 0;
    this.#undecided = this.#table.length;
    this.#busyUntil = 0;
    observation.waiting.fill(0);
    observation.dataSize.fill(0);
    observation.work.fill(0);
    observation.age.fill(0);
    observation.charge.fill(this.communitySettings.device.capacity);
    observation.processorBusy.fill(0);
    observation.radioBusy.fill(0);
    observation.bandwidthInUse = 0;
    observation.computeInUse = 0;
    for (let j = 0; j < this.deviceCount; j++) this.#observe(j, noTime);
    return observation;
  }

  /** C4 and C5. */
  #checkShares({ bandwidthShare, computeShare }: Action): void {
    let bandwidth = this.observation.bandwidthInUse;
    let compute = this.observation.computeInUse;
    let least = 0;
    for (let j = 0; j < this.deviceCount; j++) {
      bandwidth += bandwidthShare[j] as number;
      compute += computeShare[j] as number;
      least = Math.min(least, bandwidthShare[j] as number, computeShare[j] as number);
    }
    if (least < 0) throw new RangeError(`Expected shares of at least 0 in sub-slot ${this.#subSlot}, got ${least}`);
    const most = 1 + shareTolerance;
    if (!(bandwidth <= most && compute <= most)) {
      throw new RangeError(
        `Expected shares of at most 1 in sub-slot ${this.#subSlot}, those in flight included, got ${bandwidth} of B and ${compute} of F`,
      );
    }
  }

  /** Starts the head-of-line task on the device, now. Returns what that takes from the battery. */
  #runLocally(j: number, device: Device, now: Seconds): Joules {
    const task = this.#head[j] as number;
    const work = cycles(this.observation.work[j] as number);
    const age = seconds(this.observation.age[j] as number);
    const { start, local } = this.latencies;
    const execution = seconds(localDelay(work, device.clock) + local);
    const waiting = seconds(age + start);
    const energy = localEnergy(work, device.clock, device.k);
    const charge = joules(this.observation.charge[j] as number);
    if (!withinCharge(energy, charge)) return this.#drain(j, task, age, charge);
    this.#processorUntil[j] = now + start + execution;
    const delay = taskDelay(false, execution, noTime, noTime, waiting);
    const reward = this.#decide(j, task, this.#judged(delay, "completed-local"), waiting, delay, energy);
    this.#pay(j, reward, this.#processorReward, this.#processorUntil);
    return energy;
  }

  /** Starts the upload of the head-of-line task, now. Returns what that takes from the battery. */
  #offload(j: number, device: Device, now: Seconds, bandwidthShare: number, computeShare: number): Joules {
    if (!(bandwidthShare > 0 && computeShare > 0)) {
      throw new RangeError(
        `Expected shares above 0 for a task that is offloaded, got ${bandwidthShare} of B and ${computeShare} of F for ${device.id}`,
      );
    }
    const { observation } = this;
    const { serverClock, serverPower } = this.communitySettings;
    const task = this.#head[j] as number;
    const age = seconds(observation.age[j] as number);
    const rate = sharedRate(device.fullRate, ratio(bandwidthShare));
    const upload = uploadDelay(bits(observation.dataSize[j] as number), rate);
    const execution = edgeDelay(cycles(observation.work[j] as number), ratio(computeShare), serverClock);
    const energy = joules(uploadEnergy(device.transmitPower, upload) + edgeEnergy(serverPower, execution));
    const charge = joules(observation.charge[j] as number);
    if (!withinCharge(energy, charge)) return this.#drain(j, task, age, charge);
    const { start, edge } = this.latencies;
    const waiting = seconds(age + start);
    this.#uploadUntil[j] = now + start + upload;
    this.#radioUntil[j] = now + start + upload + execution + edge;
    this.#bandwidthHeld[j] = bandwidthShare;
    this.#computeHeld[j] = computeShare;
    const delay = taskDelay(true, noTime, upload, seconds(execution + edge), waiting);
    const outcome = this.#judged(delay, "completed-edge");
    const reward = this.#decide(j, task, outcome, seconds(waiting + upload), delay, energy);
    this.#pay(j, reward, this.#radioReward, this.#radioUntil);
    return energy;
  }

  /**
   * C3 does not hold: the task fails with the end of the sub-slot, without having been executed, and costs all the charge
   * there is; the device loses the next sub-slot.
   */
  #drain(j: number, task: number, age: Seconds, charge: Joules): Joules {
    this.#usableFrom[j] = this.#subSlot + 1;
    const rewards = this.#step.rewards;
    const end = seconds(age + this.#subSlotLength);
    rewards[j] = (rewards[j] as number) + this.#decide(j, task, "drained", end, end, charge);
    this.#head[j] = task + 1;
    return charge;
  }

  /** C2: a success keeps to the deadline. */
  #judged(delay: Seconds, success: Outcome): Outcome {
    return meetsDeadline(delay, this.settings.deadline) ? success : "late";
  }

  /** Books how a task ends. Returns its reward. */
  #decide(j: number, task: number, outcome: Outcome, waiting: Seconds, delay: Seconds, energy: Joules): number {
    const { demand, device } = this.communitySettings;
    const counts = this.#counts;
    const sums = this.#sums;
    const reward = instantReward(demand, outcome, delay, energy, device.capacity);
    const index = outcomeIndex[outcome];
    counts[index] = (counts[index] as number) + 1;
    sums[0] = (sums[0] as number) + reward;
    sums[1] = (sums[1] as number) + energy;
    sums[2] = (sums[2] as number) + waiting;
    this.#undecided--;
    if (this.#onTask !== undefined) {
      const number = task - (this.#first[j] as number);
      this.#onTask({ device: j, number, outcome, subSlot: this.#subSlot - 1, waiting, delay, energy });
    }
    return reward;
  }

  /** Pays for a task that a lane has started, at once or when the lane is free again. */
  #pay(j: number, reward: number, laneReward: Float64Array, laneUntil: Float64Array): void {
    this.#head[j] = (this.#head[j] as number) + 1;
    this.#busyUntil = Math.max(this.#busyUntil, laneUntil[j] as number);
    if (this.#paysAtCompletion) laneReward[j] = reward;
    else this.#step.rewards[j] = (this.#step.rewards[j] as number) + reward;
  }

  /** Pays for the tasks whose lanes are free again. */
  #payWhatEnded(j: number): void {
    const rewards = this.#step.rewards;
    if (this.observation.processorBusy[j] === 0) {
      rewards[j] = (rewards[j] as number) + (this.#processorReward[j] as number);
      this.#processorReward[j] = 0;
    }
    if (this.observation.radioBusy[j] === 0) {
      rewards[j] = (rewards[j] as number) + (this.#radioReward[j] as number);
      this.#radioReward[j] = 0;
    }
  }

  /** Arrivals, expiry and what a policy sees of a device at the start of a sub-slot. */
  #observe(j: number, time: Seconds): void {
    const { observation } = this;
    if ((this.#nextArrival[j] as number) <= time) this.#arrive(j, time);
    const next = this.#next[j] as number;
    let head = this.#head[j] as number;
    while (head < next) {
      if (this.#shown[j] !== head) this.#show(j, head);
      const age = seconds(Math.max(time - (this.#shownArrival[j] as number), 0));
      if (!hasExpired(seconds(age + arrivalTolerance), this.settings.deadline)) {
        observation.age[j] = age;
        break;
      }
      const { rewards } = this.#step;
      rewards[j] = (rewards[j] as number) + this.#decide(j, head, "expired", age, age, joules(0));
      head++;
    }
    this.#head[j] = head;
    observation.queueLength[j] = next - head;
    if (head === next || this.#subSlot < (this.#usableFrom[j] as number)) this.#show(j, none);
  }

  /** Moves the tasks that have arrived into the queue. */
  #arrive(j: number, time: Seconds): void {
    const table = this.#table;
    const end = this.#first[j + 1] as number;
    let next = this.#next[j] as number;
    while (next < end && table.arrival(next) <= time + arrivalTolerance) next++;
    this.#next[j] = next;
    this.#nextArrival[j] = next < end ? table.arrival(next) - arrivalTolerance : Number.POSITIVE_INFINITY;
  }

  /** Makes a task, or none, what the observation shows of a device. */
  #show(j: number, task: number): void {
    if (this.#shown[j] === task) return;
    const { waiting, dataSize, work, age } = this.observation;
    const isTask = task !== none;
    this.#shown[j] = task;
    this.#shownArrival[j] = isTask ? this.#table.arrival(task) : 0;
    waiting[j] = isTask ? 1 : 0;
    dataSize[j] = isTask ? this.#table.dataSize(task) : 0;
    work[j] = isTask ? this.#table.work(task) : 0;
    age[j] = 0;
  }
}

/** Successes of all tasks, NaN without tasks. */
export const successRatio = ({ tasks, outcomes: counts }: EpochTotals): number =>
  outcomes.reduce((sum, outcome) => sum + (isSuccess(outcome) ? counts[outcome] : 0), 0) / tasks;
