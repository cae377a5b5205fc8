import { setMaxListeners } from "node:events";
import { setImmediate } from "node:timers/promises";
import type { Clock } from "@offloadlab/hardware";
import {
  type Action,
  communityAt,
  type Device,
  devicesOf,
  edgeDelay,
  emptyAction,
  emptyObservation,
  instantReward,
  type Observation,
  placement,
  sharedRate,
  sharesFit,
  uploadDelay,
} from "@offloadlab/model";
import type { AnswerCounts, OpenPolicy } from "@offloadlab/policies";
import {
  type EndedTask,
  Failure,
  isWorthALease,
  leaseTime,
  type OffloadAnswer,
  type OffloadRequest,
  type TrialOrder,
} from "@offloadlab/protocol";
import { answerNote, answersSoFar, type Decision, type Journal, type SubSlotRecord } from "@offloadlab/records";
import { bits, bitsOf, bitsPerSecond, bytes, cycles, joules, ratio, type Seconds, seconds } from "@offloadlab/units";
import { Leases, type OpenLease } from "./leases.ts";
import type { Links } from "./links.ts";

/** Part of a sub-slot that a decision waits for devices which have not reported yet. */
const guardShare = 0.7;
/**
 * Part of a sub-slot after which a policy that takes its time has taken too long: it has one tenth at least. In the last
 * fifth Fair decides in its place, and the answers reach the devices before they report again.
 */
const decisionShare = 0.8;
/** How many sub-slots a device may be ahead of its server: clocks differ a little, and no device knows the future. */
const mostSubSlotsAhead = 2;
const placementNames = ["local", "edge", "wait"] as const;

type Service = Omit<Parameters<Journal["write"]>[0] & { kind: "service" }, "kind" | "trial">;

interface Report {
  readonly request: OffloadRequest;
  readonly answer: (answer: OffloadAnswer) => void;
  /** Settles when the answer has been handed to its socket. */
  readonly handed: Promise<unknown>;
}

/** A sub-slot that has been decided: how timely, and how many before it nobody reported in. */
export type TimedSubSlot = Omit<SubSlotRecord, "kind"> & { readonly silent: number };
type BegunSubSlot = Pick<TimedSubSlot, "subSlot" | "begunSeconds" | "silent">;

/** What a policy decided for a sub-slot, by device. */
export interface Decided {
  readonly subSlot: number;
  /** Whether every device had reported. */
  readonly isComplete: boolean;
  /** [n] the head of each line, null without one */
  readonly heads: readonly (string | null)[];
  /** [n] whether it may begin now */
  readonly begins: readonly boolean[];
}

/** A policy in the laboratory, which decides now or later. One that learns is told what it has decided, and what came of it. */
export interface LivePolicy extends Pick<OpenPolicy, "name" | "decide"> {
  /** Of one from outside: what became of its answers so far. */
  readonly answers?: AnswerCounts;
  /** After the leases are out. */
  decided?(decided: Decided): void;
  /** A task has ended. @param reward of Eq. (19) */
  ended?(device: number, task: EndedTask, reward: number): void;
}

/** The policy of a trial, and what is left to do when the trial is over. */
export interface TrialPolicy {
  readonly policy: LivePolicy;
  readonly finish: () => Promise<void>;
}

/**
 * One epoch of a community on its server: in every sub-slot the reports of all devices become one observation, the
 * policy's action becomes leases.
 *
 * The policy decides as soon as every device has reported, at the latest a guard time into the sub-slot.
 */
export class CommunityTrial {
  readonly leases = new Leases();
  readonly #order: TrialOrder;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #community: ReturnType<typeof communityAt>;
  readonly #devices: readonly Device[];
  readonly #policy: LivePolicy;
  readonly #links: Links;
  readonly #timed: (subSlot: TimedSubSlot) => void;
  readonly #observation: Observation;
  readonly #action: Action;
  readonly #subSlot: number;
  readonly #reports = new Map<string, Report>();
  /** Last reports of the devices that have said that no further task will come. */
  readonly #done = new Map<string, OffloadRequest>();
  /** Tasks that a device has said to have ended. */
  readonly #over = new Set<string>();
  /** Measured less theoretical T^tr of tasks whose upload has ended. */
  readonly #transmissionErrors = new Map<string, number>();
  readonly #ended = new AbortController();
  readonly #finished: Promise<void>;
  #finish: () => void = () => {};
  /** Whether the trial has finished or was aborted: nothing is journalled after that. */
  #isOver = false;
  #decided = -1;
  #waitingFor = -1;
  /** While a policy takes its time; nothing else is decided meanwhile. */
  #deciding: Promise<void> | undefined;

  /**
   * @param timed told of each sub-slot once its last answer is out
   * @throws RangeError when the settings have no such community
   */
  constructor(
    order: TrialOrder,
    communityIndex: number,
    clock: Clock,
    journal: Journal,
    policy: LivePolicy,
    links: Links,
    timed: (subSlot: TimedSubSlot) => void = () => {},
  ) {
    this.#order = order;
    this.#clock = clock;
    this.#journal = journal;
    this.#community = communityAt(order.settings, communityIndex);
    this.#devices = devicesOf(order.settings, communityIndex, order.deviceSeed);
    this.#policy = policy;
    this.#links = links;
    this.#timed = timed;
    this.#observation = emptyObservation(this.#community.deviceCount);
    this.#action = emptyAction(this.#community.deviceCount);
    this.#subSlot = order.settings.timeSlot / order.settings.subSlotsPerTimeSlot;
    // Each open lease waits for its end, or for that of the trial.
    setMaxListeners(0, this.#ended.signal);
    this.#finished = new Promise((resolve) => {
      this.#finish = () => {
        this.#isOver = true;
        resolve();
      };
    });
    for (const [index, { distance, clock, fullRate }] of this.#devices.entries()) {
      this.#observation.distance[index] = distance;
      this.#observation.clock[index] = clock;
      this.#observation.fullRate[index] = fullRate;
    }
  }

  get trial(): number {
    return this.#order.trial;
  }

  get clock(): Clock {
    return this.#clock;
  }

  /** Resolves when every device is done; rejects when aborted. */
  async run(): Promise<void> {
    await Promise.race([
      this.#finished,
      new Promise((_, reject) => this.#ended.signal.addEventListener("abort", () => reject(this.#ended.signal.reason))),
    ]);
  }

  abort(reason: string): void {
    this.#isOver = true;
    this.#ended.abort(new DOMException(reason, "AbortError"));
    for (const { answer } of this.#reports.values()) answer({ decision: "wait" });
    this.#reports.clear();
  }

  /**
   * A device's report for a sub-slot; resolves with the decision on its task.
   *
   * @param handed settles when the answer has been handed to its socket
   * @throws Failure `peer/refused` when the device is not this community's, the trial is another or the sub-slot is far ahead
   */
  report(
    device: string,
    request: OffloadRequest,
    handed: Promise<unknown> = Promise.resolve(),
  ): Promise<OffloadAnswer> {
    if (request.run !== this.#order.run || request.trial !== this.#order.trial || this.#ended.signal.aborted) {
      throw new Failure("peer/refused", `trial ${request.trial} of ${request.run} is not the one that runs here`);
    }
    const index = this.#devices.findIndex(({ id }) => id === device);
    if (index < 0) {
      throw new Failure("peer/refused", `${device} is not a device of ${this.#community.name}`);
    }
    const current = Math.floor(this.#clock.now() / this.#subSlot);
    if (request.subSlot > current + mostSubSlotsAhead) {
      throw new Failure(
        "peer/refused",
        `expected a sub-slot at most ${mostSubSlotsAhead} ahead of ${current}, got ${request.subSlot}; set ${device}'s clock`,
      );
    }
    // A device has one report at a time: an idle radio in this one tells what became of the lease in the last answer.
    const held = this.leases.of(device);
    if (!request.radioBusy && held?.state === "granted") this.release(held, "not used by its device");
    for (const task of request.ended) this.#end(index, task);
    if (request.last) {
      this.#done.set(device, request);
      this.#decideIfComplete();
      if (this.#done.size === this.#devices.length) this.#finish();
      return Promise.resolve({ decision: "wait" });
    }
    // Too late for its sub-slot: the device asks again in the next one.
    if (request.subSlot <= this.#decided) return Promise.resolve({ decision: "wait" });
    return new Promise((answer) => {
      this.#reports.get(device)?.answer({ decision: "wait" });
      this.#reports.set(device, { request, answer, handed });
      this.#decideIfComplete();
      if (this.#reports.size > 0) void this.#guard(request.subSlot);
    });
  }

  /** A task has ended on its device, which says so until it is answered. */
  #end(device: number, task: EndedTask): void {
    if (this.#over.has(task.id) || this.#policy.ended === undefined) return;
    this.#over.add(task.id);
    const { demand, device: constants } = this.#community;
    const { id, subSlot, outcome, delaySeconds, energyJoules } = task;
    const reward = instantReward(demand, outcome, seconds(delaySeconds), joules(energyJoules), constants.capacity);
    this.#policy.ended(device, task, reward);
    this.#journal.write({
      kind: "reward",
      trial: this.#order.trial,
      task: id,
      subSlot,
      outcome,
      delaySeconds,
      transmissionErrorSeconds: this.#transmissionErrors.get(id) ?? null,
      energyJoules,
      reward,
    });
  }

  #decideIfComplete(): void {
    if (this.#deciding !== undefined) return;
    const missing = this.#devices.some(({ id }) => !this.#done.has(id) && !this.#reports.has(id));
    if (!missing && this.#reports.size > 0) this.#decide();
  }

  async #guard(subSlot: number): Promise<void> {
    if (this.#waitingFor >= subSlot) return;
    this.#waitingFor = subSlot;
    await this.#clock.sleepUntil(seconds((subSlot + guardShare) * this.#subSlot));
    // What came while this process stood still lies in its sockets, which are read before the next immediate.
    await setImmediate();
    await this.#deciding;
    if (this.#decided < subSlot && this.#reports.size > 0) this.#decide();
  }

  #decide(): void {
    const reports = new Map(this.#reports);
    this.#reports.clear();
    const subSlot = Math.max(...[...reports.values()].map(({ request }) => request.subSlot));
    const begunSeconds = this.#clock.now() - subSlot * this.#subSlot;
    const begun = { subSlot, begunSeconds, silent: subSlot - this.#decided - 1 };
    this.#decided = subSlot;
    this.#observe(reports);
    const { answers } = this.#policy;
    const before = answers === undefined ? undefined : answersSoFar(answers);
    const later = this.#policy.decide(this.#observation, this.#action, this.#leftOf(subSlot));
    if (later === undefined) this.#handOut(begun, reports, before);
    else {
      this.#deciding = later.then(() => {
        this.#deciding = undefined;
        this.#handOut(begun, reports, before);
        // Clocks differ: devices may have reported for the next sub-slot.
        this.#decideIfComplete();
      });
    }
  }

  /** What is left of a sub-slot for a policy that takes its time, real time. */
  #leftOf(subSlot: number): Seconds {
    const left = (subSlot + decisionShare) * this.#subSlot - this.#clock.now();
    return seconds(Math.max(left, 0) / this.#clock.speed);
  }

  /** The action to the devices, as leases, and to the journal. */
  #handOut(begun: BegunSubSlot, reports: ReadonlyMap<string, Report>, before: AnswerCounts | undefined): void {
    const { subSlot } = begun;
    if (this.#isOver) {
      for (const { answer } of reports.values()) answer({ decision: "wait" });
      return;
    }
    const { bandwidthInUse, computeInUse } = this.#observation;
    const { bandwidthShare, computeShare } = this.#action;
    if (!sharesFit(bandwidthShare, bandwidthInUse) || !sharesFit(computeShare, computeInUse)) {
      throw new RangeError(`${this.#policy.name} breaks C4 or C5 in sub-slot ${subSlot}`);
    }
    const decisions: Decision[] = [];
    for (const [index, { id }] of this.#devices.entries()) {
      const report = reports.get(id);
      const task = report?.request.task;
      if (report === undefined) continue;
      if (task === null || task === undefined) {
        report.answer({ decision: "wait" });
        continue;
      }
      const open = this.#action.placement[index] === placement.edge ? this.#grant(index, task) : undefined;
      if (this.#action.placement[index] === placement.edge && open === undefined)
        this.#action.placement[index] = placement.wait;
      const name = placementNames[this.#action.placement[index] ?? placement.wait] ?? "wait";
      report.answer(
        open === undefined
          ? { decision: name === "local" ? "local" : "wait" }
          : { decision: "edge", lease: open.lease },
      );
      const shares = open?.lease ?? { bandwidthShare: 0, computeShare: 0 };
      decisions.push({
        task: task.id,
        placement: name,
        bandwidthShare: shares.bandwidthShare,
        computeShare: shares.computeShare,
        ...(open === undefined ? {} : { lease: open.lease.id }),
      });
    }
    const devices = this.#devices.length - this.#done.size;
    this.#policy.decided?.({
      subSlot,
      isComplete: reports.size >= devices,
      heads: this.#devices.map(({ id }) => reports.get(id)?.request.task?.id ?? null),
      begins: Array.from(this.#action.placement, (where) => where !== placement.wait),
    });
    const handed = [...reports.values()].map((report) => report.handed);
    void this.#time({ trial: this.trial, ...begun, reported: reports.size, devices }, handed);
    const { answers } = this.#policy;
    const note = answers === undefined || before === undefined ? {} : answerNote(before, answers);
    // A sub-slot without tasks says nothing, unless the policy's answer was not taken as it was.
    if (decisions.length === 0 && Object.keys(note).length === 0) return;
    this.#journal.write({
      kind: "action",
      trial: this.#order.trial,
      subSlot,
      latenessSeconds: this.#clock.now() - subSlot * this.#subSlot,
      bandwidthInUseRatio: bandwidthInUse,
      computeInUseRatio: computeInUse,
      ...note,
      decisions,
    });
  }

  /** Journals how timely a sub-slot was decided, once its last answer is out; after the trial nothing is journalled. */
  async #time(subSlot: Omit<TimedSubSlot, "handedSeconds">, handed: readonly Promise<unknown>[]): Promise<void> {
    await Promise.all(handed);
    if (this.#isOver) return;
    const handedSeconds = this.#clock.now() - subSlot.subSlot * this.#subSlot;
    const { silent, ...record } = { ...subSlot, handedSeconds };
    this.#journal.write({ kind: "sub-slot", ...record });
    this.#timed({ ...record, silent });
  }

  /**
   * Fills the observation of Eq. (17); a device that did not report has nothing to decide on.
   *
   * Where links are corrected, a task is as large as it seems: D / ρ takes at the theory's rate what D takes at the link's.
   */
  #observe(reports: ReadonlyMap<string, Report>): void {
    const observation = this.#observation;
    for (const [index, { id }] of this.#devices.entries()) {
      const request = reports.get(id)?.request ?? this.#done.get(id);
      const task = request?.task;
      observation.waiting[index] = task ? 1 : 0;
      observation.dataSize[index] = task ? bitsOf(bytes(task.dataBytes)) / this.#correctionOf(id) : 0;
      observation.work[index] = task?.workCycles ?? 0;
      observation.age[index] = task?.ageSeconds ?? 0;
      observation.charge[index] = request?.chargeJoules ?? 0;
      observation.processorBusy[index] = request?.processorBusy === true ? 1 : 0;
      observation.radioBusy[index] = request?.radioBusy === true || this.leases.of(id) !== undefined ? 1 : 0;
      observation.queueLength[index] = request?.queueLength ?? 0;
    }
    observation.bandwidthInUse = this.leases.bandwidthInUse;
    observation.computeInUse = this.leases.computeInUse;
  }

  #correctionOf(device: string): number {
    return this.#order.link === "corrected" ? this.#links.correctionOf(device) : 1;
  }

  /** Leases the shares that the action gives a task; undefined where they are worth no lease, and the task waits. */
  #grant(index: number, task: NonNullable<OffloadRequest["task"]>): OpenLease | undefined {
    const device = this.#devices[index] as Device;
    const { deadline } = this.#order.settings;
    const bandwidthShare = this.#action.bandwidthShare[index] ?? 0;
    const computeShare = this.#action.computeShare[index] ?? 0;
    const rate = bitsPerSecond(bandwidthShare * device.fullRate * this.#correctionOf(device.id));
    const dataSize = bits(bitsOf(bytes(task.dataBytes)));
    const upload = uploadDelay(dataSize, rate);
    const execution = edgeDelay(cycles(task.workCycles), ratio(computeShare), this.#community.serverClock);
    const whole = seconds(upload + execution);
    if (!isWorthALease(whole, deadline)) return undefined;
    const theory = uploadDelay(dataSize, sharedRate(device.fullRate, ratio(bandwidthShare)));
    const terms = {
      task: task.id,
      bandwidthShare,
      computeShare,
      rateBitsPerSecond: rate,
      theoreticalUploadSeconds: upload,
      theoreticalExecutionSeconds: execution,
      expiresInSeconds: leaseTime(whole, deadline),
    };
    const open = this.leases.grant(device.id, terms, theory);
    void this.#expire(open);
    return open;
  }

  async #expire(open: OpenLease): Promise<void> {
    await this.#clock.sleep(seconds(open.lease.expiresInSeconds), this.#ended.signal).catch(() => undefined);
    if (open.state === "granted") this.release(open, "the lease expired before the upload had ended");
  }

  /** Ends a lease without service; after the trial nothing is journalled. */
  release(open: OpenLease, reason: string): void {
    if (!this.leases.release(open) || this.#isOver) return;
    const { id, task } = open.lease;
    this.#journal.write({ kind: "released", trial: this.#order.trial, task, lease: id, reason });
  }

  /** Ends a lease whose task was served, and journals the service; after the trial nothing is journalled. */
  served(open: OpenLease, service: Service): void {
    this.leases.release(open);
    const { task, uploadSeconds, theoreticalUploadSeconds } = service;
    this.#transmissionErrors.set(task, uploadSeconds - theoreticalUploadSeconds);
    this.#links.add(open.device, service);
    if (this.#isOver) return;
    this.#journal.write({ kind: "service", trial: this.#order.trial, ...service });
  }
}
