import type { Classifier, ImageSet } from "@offloadlab/classifier";
import {
  type Clock,
  EmulatedBattery,
  EmulatedProcessor,
  type EnergyReading,
  emulatedReading,
  emulatedTrialBoard,
  type MeteredTask,
  type Processor,
  pacedBody,
  type TrialBoard,
  withModelledPart,
} from "@offloadlab/hardware";
import {
  edgeEnergy,
  hasExpired,
  instantReward,
  localEnergy,
  meetsDeadline,
  type Outcome,
  type Task,
  uploadDelay,
  uploadEnergy,
  withinCharge,
} from "@offloadlab/model";
import {
  type DeviceTelemetry,
  type EndedTask,
  type Lease,
  messageOf,
  type OffloadAnswer,
  type OffloadRequest,
  type TrialOrder,
  timeLimit,
} from "@offloadlab/protocol";
import type { Journal } from "@offloadlab/records";
import {
  type BitsPerSecond,
  bitsOf,
  bitsPerSecond,
  bytes,
  bytesOf,
  type Joules,
  joules,
  type Seconds,
  seconds,
  watts,
} from "@offloadlab/units";
import { QueuedImages } from "./images.ts";
import type { ServerClient } from "./server-client.ts";
import type { DeviceWorld } from "./world.ts";

/** What the device is made of while a trial runs. */
export interface DeviceParts {
  readonly clock: Clock;
  readonly classifier: Classifier;
  readonly images: ImageSet;
  readonly server: ServerClient;
  readonly journal: Journal;
  /** What measures and harvests; emulated when absent. */
  readonly board?: TrialBoard;
  /** What runs local tasks; emulated when absent. */
  readonly processor?: Processor;
  readonly log: (level: "info" | "warn" | "error", message: string) => void;
}

/** Where a task stands when it ends. */
interface End {
  readonly outcome: Outcome;
  /** Whose decision it was; of an expired task the sub-slot before its end. */
  readonly subSlot: number;
  /** T^w as Table III reports it. */
  readonly waiting: Seconds;
  /** From generation to the end. */
  readonly delay: Seconds;
  readonly energy: Joules;
  /** Where the energy is from, when it is not a rule of the model's. */
  readonly reading?: EnergyReading;
  /** b at the decision. */
  readonly charge: Joules;
  readonly label?: string | null;
  readonly detail?: string;
}

/** A server that has not decided within this real time is not there; normally it answers within a part of a sub-slot. */
const answerMilliseconds = 3_000;
/** A server that is not told waits until the C-BS ends the trial, which is invalid then. */
const lastAttempts = 3;

/**
 * One epoch on an end device: a FIFO queue and two lanes, the processor and the radio, that work in parallel.
 *
 * At the start of each sub-slot the battery's ledger is closed, tasks arrive, the head of the line expires if it is too
 * old, and the server is told the device's state; its answer starts a lane or leaves the task in the queue.
 */
export class DeviceTrial {
  readonly #order: TrialOrder;
  readonly #world: DeviceWorld;
  readonly #parts: DeviceParts;
  readonly #battery: EmulatedBattery;
  readonly #board: TrialBoard;
  readonly #processor: Processor;
  readonly #ended = new AbortController();
  readonly #queue: Task[] = [];
  readonly #outcomes: Record<string, number> = {};
  /** Tasks whose end the server has not been told, or has not said that it knows. */
  #untold: readonly EndedTask[] = [];
  #generated = 0;
  #reward = 0;
  #processorBusy = false;
  /** When the processor's task would have ended, had it begun with its sub-slot. */
  #processorDue = Number.NEGATIVE_INFINITY;
  /** Resolves when the processor is idle. */
  #processorIdle: Promise<void> = Promise.resolve();
  readonly #images: QueuedImages;
  #radioBusy = false;
  /** Tasks that have ended but for the reading of their energy. */
  #settling = 0;
  #subSlot = 0;
  /** The first sub-slot in which the device may start a task again, after its battery ran empty. */
  #usableFrom = 0;

  constructor(order: TrialOrder, world: DeviceWorld, parts: DeviceParts) {
    this.#order = order;
    this.#world = world;
    this.#parts = parts;
    this.#battery = new EmulatedBattery(world.device.capacity, world.device.harvested);
    this.#board = parts.board ?? emulatedTrialBoard(world.device.harvested);
    this.#processor = parts.processor ?? new EmulatedProcessor(parts.clock, world.device.clock);
    this.#images = new QueuedImages(parts.images);
  }

  get telemetry(): DeviceTelemetry {
    return {
      trial: this.#order.trial,
      chargeJoules: this.#battery.charge,
      capacityJoules: this.#battery.capacity,
      queueLength: this.#queue.length,
      processorBusy: this.#processorBusy,
      radioBusy: this.#radioBusy,
      generated: this.#generated,
      outcomes: { ...this.#outcomes },
      reward: this.#reward,
    };
  }

  abort(reason: string): void {
    this.#ended.abort(new DOMException(reason, "AbortError"));
  }

  /** Resolves when every task has ended; rejects when aborted. */
  async run(): Promise<void> {
    const { clock } = this.#parts;
    const { subSlot, subSlotCount, tasks } = this.#world;
    const arrivals = [...tasks];
    for (let index = 0; ; index += 1) {
      const start = seconds(index * subSlot);
      await clock.sleepUntil(start, this.#ended.signal);
      this.#subSlot = index;
      if (index > 0) {
        this.#closeLedger(index - 1);
      }
      while ((arrivals[0]?.arrival ?? Number.POSITIVE_INFINITY) <= start + 1e-9)
        this.#generate(arrivals.shift() as Task);
      this.#expire(start, index - 1);
      const busy = this.#processorBusy || this.#radioBusy || this.#settling > 0;
      const last = index >= subSlotCount && this.#queue.length === 0 && !busy;
      if (last) {
        // Tells the server not to wait for this device any more; nothing depends on the answer.
        for (let attempt = 1; attempt <= lastAttempts; attempt += 1) {
          const told = await this.#ask(index, true).catch((error: unknown) => {
            this.#parts.log("warn", `the server could not be told that this was the last task: ${messageOf(error)}`);
          });
          if (told !== undefined || this.#ended.signal.aborted) return;
        }
        return;
      }
      await this.#decide(index);
    }
  }

  /** Ends a sub-slot of the battery: what tasks took meets what came in. */
  #closeLedger(subSlot: number): void {
    const { energy, coverage } = this.#board.harvest.next();
    const { charge, drained, harvested } = this.#battery.endSubSlot(energy);
    this.#parts.journal.write({
      kind: "battery",
      trial: this.#order.trial,
      subSlot,
      chargeJoules: charge,
      drainedJoules: drained,
      harvestedJoules: harvested,
      method: this.#board.drain,
      harvestSource: this.#board.harvest.source,
      harvestCoverageRatio: coverage,
    });
  }

  #generate(task: Task): void {
    this.#queue.push(task);
    this.#images.fetch(task);
    this.#generated += 1;
    this.#parts.journal.write({
      kind: "generated",
      trial: this.#order.trial,
      task: task.id,
      arrivalSeconds: task.arrival,
      dataBytes: bytesOf(task.dataSize),
      workCycles: task.work,
      image: task.image,
    });
  }

  /** A head-of-line task older than the deadline is dropped: no energy, a failure. */
  #expire(now: Seconds, subSlot: number): void {
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      const age = seconds(now - head.arrival);
      if (!hasExpired(age, this.#world.deadline)) return;
      this.#queue.shift();
      this.#images.drop(head);
      this.#end(head, {
        outcome: "expired",
        subSlot,
        waiting: age,
        delay: age,
        energy: joules(0),
        charge: this.#battery.charge,
      });
    }
  }

  async #decide(index: number): Promise<void> {
    const answer = await this.#ask(index, false).catch((error: unknown) => {
      this.#parts.log("warn", `sub-slot ${index} has no decision: ${messageOf(error)}`);
      return null;
    });
    this.#ended.signal.throwIfAborted();
    const [task] = this.#queue;
    if (answer === null || task === undefined || index < this.#usableFrom) return;
    if (answer.decision === "local" && !this.#isProcessorBusy(index)) {
      this.#queue.shift();
      this.#processorIdle = this.#processorIdle.then(() => this.#runLocally(task, index));
    } else if (answer.decision === "edge" && !this.#radioBusy) {
      this.#queue.shift();
      void this.#offload(task, answer.lease, index);
    }
  }

  /**
   * Whether the processor is busy in a sub-slot as the model has it: a task that has yet to end only because it began some
   * milliseconds after its boundary does not count, and the next one begins when it has ended.
   */
  #isProcessorBusy(index: number): boolean {
    return this.#processorBusy && this.#processorDue > index * this.#world.subSlot;
  }

  async #ask(index: number, last: boolean): Promise<OffloadAnswer> {
    const [task] = this.#queue;
    const ended = this.#untold;
    const blocked = index < this.#usableFrom;
    const request: OffloadRequest = {
      run: this.#order.run,
      trial: this.#order.trial,
      subSlot: index,
      chargeJoules: this.#battery.charge,
      queueLength: this.#queue.length,
      processorBusy: this.#isProcessorBusy(index),
      radioBusy: this.#radioBusy,
      last,
      ended: [...ended],
      task:
        task === undefined || blocked
          ? null
          : {
              id: task.id,
              dataBytes: bytesOf(task.dataSize),
              workCycles: task.work,
              ageSeconds: Math.max(index * this.#world.subSlot - task.arrival, 0),
            },
    };
    const answer = await this.#parts.server.offload(request, timeLimit(answerMilliseconds, this.#ended.signal));
    this.#untold = this.#untold.slice(ended.length);
    return answer;
  }

  /** Runs the same classifier on the device; on emulated hardware one real inference, paced to C / f. */
  async #runLocally(task: Task, index: number): Promise<void> {
    const { clock, classifier } = this.#parts;
    const { device } = this.#world;
    const start = clock.now();
    const waiting = seconds(start - task.arrival);
    const charge = this.#battery.charge;
    const energy = localEnergy(task.work, device.clock, device.k);
    if (!withinCharge(energy, charge)) return this.#drainedUnexecuted(task, index, charge);
    this.#battery.spend(energy);
    this.#processorBusy = true;
    this.#processorDue = index * this.#world.subSlot + task.work / device.clock;
    const metered = this.#board.meter.begin(watts((energy * device.clock) / task.work));
    const end = { subSlot: index, waiting, charge };
    try {
      const image = await this.#images.take(task);
      const [{ label }] = await Promise.all([
        classifier.classify(image),
        this.#processor.run(task.work, start, this.#ended.signal),
      ]);
      const delay = this.#age(task);
      this.#settle(metered, energy, (reading) => {
        this.#battery.spend(joules(reading.joules - energy));
        if (!withinCharge(reading.joules, charge)) return this.#drained(task, { ...end, delay, label });
        const outcome = this.#judge(delay, "completed-local");
        this.#end(task, { ...end, outcome, delay, energy: reading.joules, reading, label });
      });
    } catch (error) {
      const delay = this.#age(task);
      this.#settle(metered, energy, (reading) => {
        this.#battery.spend(joules(reading.joules - energy));
        this.#lose(task, { ...end, delay, energy: reading.joules, reading, detail: messageOf(error) });
      });
    } finally {
      this.#processorBusy = false;
    }
  }

  /**
   * Reads what a task that is over has taken, and ends it then: its lane is free before that.
   *
   * @param modelled what the model says it took
   */
  #settle(metered: MeteredTask, modelled: Joules, end: (reading: EnergyReading) => void): void {
    this.#settling += 1;
    void metered.reading(modelled).then((reading) => {
      this.#settling -= 1;
      if (!this.#ended.signal.aborted) end(reading);
    });
  }

  /** Uploads under a lease; the server's clock says how long upload and execution took, and both are paid as measured. */
  async #offload(task: Task, lease: Lease, index: number): Promise<void> {
    const { clock, server } = this.#parts;
    const { device, serverPower } = this.#world;
    const start = clock.now();
    const charge = this.#battery.charge;
    const radioEnergy = (upload: number): Joules => uploadEnergy(device.transmitPower, seconds(upload));
    const serverEnergy = (execution: number): Joules => edgeEnergy(serverPower, seconds(execution));
    const planned = joules(
      radioEnergy(lease.theoreticalUploadSeconds) + serverEnergy(lease.theoreticalExecutionSeconds),
    );
    const age = seconds(start - task.arrival);
    if (!withinCharge(planned, charge)) return this.#drainedUnexecuted(task, index, charge);
    this.#battery.spend(planned);
    this.#radioBusy = true;
    const metered = this.#board.meter.begin(device.transmitPower);
    const end = { subSlot: index, charge };
    try {
      const image = await this.#images.take(task);
      const signal = timeLimit(Math.ceil((lease.expiresInSeconds / clock.speed) * 1000), this.#ended.signal);
      // The request's JSON is not part of D: the whole body takes the time that the radio needs for the image.
      const upload = uploadDelay(task.dataSize, this.#radioRate(lease));
      const rate = (body: Uint8Array): BitsPerSecond => bitsPerSecond(bitsOf(bytes(body.length)) / upload);
      const { label, service } = await server.infer(
        image,
        lease,
        async function* (body) {
          yield* pacedBody(body, rate(body), clock, signal);
          metered.stop();
        },
        signal,
      );
      const waiting = seconds(age + service.upload_seconds + service.queue_seconds);
      const delay = this.#age(task);
      this.#settle(metered, radioEnergy(service.upload_seconds), (radio) => {
        const reading = withModelledPart(radio, serverEnergy(service.execution_seconds));
        const energy = reading.joules;
        if (!withinCharge(energy, charge)) return this.#drained(task, { ...end, waiting, delay, label });
        this.#battery.spend(joules(energy - planned));
        const outcome = this.#judge(delay, "completed-edge");
        this.#end(task, { ...end, outcome, waiting, delay, energy, reading, label });
      });
    } catch (error) {
      // The radio was on until now at the most for the planned upload; the server's part was not delivered.
      const on = Math.min(clock.now() - start, lease.theoreticalUploadSeconds);
      const delay = this.#age(task);
      this.#settle(metered, radioEnergy(on), (reading) => {
        const energy = reading.joules;
        this.#battery.spend(joules(energy - planned));
        this.#lose(task, { ...end, waiting: delay, delay, energy, reading, detail: messageOf(error) });
      });
    } finally {
      this.#radioBusy = false;
    }
  }

  /** What the emulated radio makes of a share: Eq. (1), unless the rehearsal has another rate in store. */
  #radioRate({ bandwidthShare }: Lease): BitsPerSecond {
    const { id, fullRate } = this.#world.device;
    return bitsPerSecond(bandwidthShare * fullRate * (this.#order.uplinkRateRatios[id] ?? 1));
  }

  /** C3 does not hold as planned: the task is not executed, and ends with the sub-slot in which the battery ran empty. */
  #drainedUnexecuted(task: Task, subSlot: number, charge: Joules): void {
    const end = seconds((this.#subSlot + 1) * this.#world.subSlot - task.arrival);
    this.#drained(task, { subSlot, waiting: end, delay: end, charge });
  }

  /**
   * C3 does not hold, as planned or as measured: the battery is at 0, the task fails and has cost all the charge that there
   * was at its decision, the device loses the next sub-slot.
   */
  #drained(task: Task, end: Omit<End, "outcome" | "energy">): void {
    this.#battery.empty();
    this.#usableFrom = this.#subSlot + 2;
    this.#end(task, { outcome: "drained", energy: end.charge, ...end });
  }

  /** A task whose server or result vanished; after an abort the C-BS settles it. */
  #lose(task: Task, end: Omit<End, "outcome">): void {
    if (!this.#ended.signal.aborted) this.#end(task, { outcome: "lost", ...end });
  }

  /** Time since a task was generated. */
  #age(task: Task): Seconds {
    return seconds(this.#parts.clock.now() - task.arrival);
  }

  /** C2: a success keeps to the deadline. */
  #judge(delay: Seconds, success: Outcome): Outcome {
    return meetsDeadline(delay, this.#world.deadline) ? success : "late";
  }

  #end(task: Task, { outcome, subSlot, waiting, delay, energy, charge, label, detail, ...measured }: End): void {
    const { clock, images, journal } = this.#parts;
    const { demand, device } = this.#world;
    const reward = instantReward(demand, outcome, delay, energy, device.capacity);
    // What a rule of the model's gives, all of the charge or nothing, is no measurement on any hardware.
    const ruled = this.#board.drain === "emulated" ? "emulated" : "modelled";
    const reading = measured.reading ?? { ...emulatedReading(energy), method: ruled };
    this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1;
    this.#reward += reward;
    this.#untold = [...this.#untold, { id: task.id, subSlot, outcome, delaySeconds: delay, energyJoules: energy }];
    journal.write({
      kind: "outcome",
      trial: this.#order.trial,
      task: task.id,
      outcome,
      endSeconds: clock.now(),
      waitingSeconds: waiting,
      delaySeconds: delay,
      energyJoules: reading.joules,
      energyUncertaintyJoules: reading.uncertainty,
      energyCoverageRatio: reading.coverage,
      energyMethod: reading.method,
      chargeJoules: charge,
      reward,
      label: label ?? null,
      expectedLabel: images.images[task.image]?.label ?? null,
      ...(detail === undefined ? {} : { detail }),
    });
  }
}
