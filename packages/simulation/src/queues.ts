import { drawTasks, type Observation, type Settings, type Task, TaskTable } from "@offloadlab/model";

/** What rounding may move arrivals and deadlines, which are on boundaries of sub-slots. */
export const timeTolerance = 1e-9;
/** No task. */
const none = -1;

/** The tasks of an epoch and the FIFO queue of each device, with the head of the line in the observation. */
export class Queues {
  private readonly table = new TaskTable();
  private readonly observation: Observation;
  /** [n + 1] the tasks of device j are those from `first[j]` to before `first[j + 1]`. */
  private readonly first: Uint32Array;
  /** [n] the head of the line, or the next to arrive. */
  private readonly head: Uint32Array;
  /** [n] the next task to arrive. */
  private readonly next: Uint32Array;
  /** [n] when it arrives, in seconds of the epoch */
  private readonly nextArrival: Float64Array;
  /** [n] the task that the observation shows, and when it arrived */
  private readonly shown: Int32Array;
  private readonly shownArrival: Float64Array;

  constructor(observation: Observation) {
    const n = observation.deviceCount;
    this.observation = observation;
    this.first = new Uint32Array(n + 1);
    this.head = new Uint32Array(n);
    this.next = new Uint32Array(n);
    this.nextArrival = new Float64Array(n);
    this.shown = new Int32Array(n);
    this.shownArrival = new Float64Array(n);
  }

  /** How many tasks the epoch has. */
  get taskCount(): number {
    return this.table.length;
  }

  /** Begins an epoch with the tasks that a seed draws. */
  draw(settings: Settings, communityIndex: number, seed: number): void {
    this.begin((j) => drawTasks(this.table, settings, communityIndex, j, seed));
  }

  /** Begins an epoch with given tasks. @param tasks [n] those of each device, in order of arrival */
  take(tasks: readonly (readonly Task[])[]): void {
    this.begin((j) => {
      for (const { arrival, dataSize, work, image } of tasks[j] ?? []) this.table.push(arrival, dataSize, work, image);
    });
  }

  private begin(fill: (device: number) => void): void {
    const n = this.observation.deviceCount;
    this.table.clear();
    for (let j = 0; j < n; j++) {
      this.first[j] = this.table.length;
      fill(j);
    }
    this.first[n] = this.table.length;
    this.head.set(this.first.subarray(0, n));
    this.next.set(this.head);
    this.nextArrival.fill(0);
    this.shown.fill(none);
    for (const column of ["waiting", "dataSize", "work", "age", "queueLength"] as const)
      this.observation[column].fill(0);
  }

  copyFrom(other: Queues): void {
    this.table.copyFrom(other.table);
    this.first.set(other.first);
    this.head.set(other.head);
    this.next.set(other.next);
    this.nextArrival.set(other.nextArrival);
    this.shown.set(other.shown);
    this.shownArrival.set(other.shownArrival);
  }

  /** Number of the head-of-line task on its device, from 0. */
  numberOfHead(device: number): number {
    return (this.head[device] as number) - (this.first[device] as number);
  }

  /** Takes the head of the line out of its queue. */
  removeHead(device: number): void {
    this.head[device] = (this.head[device] as number) + 1;
  }

  /**
   * Lets arrive what is due, and shows the head of the line as it is at a time.
   *
   * @returns its age; -1 without one
   */
  show(device: number, time: number): number {
    if ((this.nextArrival[device] as number) <= time) this.arrive(device, time);
    const head = this.head[device] as number;
    const length = (this.next[device] as number) - head;
    this.observation.queueLength[device] = length;
    if (length === 0) {
      if (this.shown[device] !== none) this.put(device, none);
      return -1;
    }
    if (this.shown[device] !== head) this.put(device, head);
    const age = Math.max(time - (this.shownArrival[device] as number), 0);
    this.observation.age[device] = age;
    return age;
  }

  /** Shows no task of a device, though there may be one. */
  hide(device: number): void {
    this.put(device, none);
  }

  private arrive(device: number, time: number): void {
    const table = this.table;
    const end = this.first[device + 1] as number;
    let next = this.next[device] as number;
    while (next < end && table.arrival(next) <= time + timeTolerance) next++;
    this.next[device] = next;
    this.nextArrival[device] = next < end ? table.arrival(next) - timeTolerance : Number.POSITIVE_INFINITY;
  }

  private put(device: number, task: number): void {
    const { waiting, dataSize, work, age } = this.observation;
    const table = this.table;
    const isTask = task !== none;
    this.shown[device] = task;
    this.shownArrival[device] = isTask ? table.arrival(task) : 0;
    waiting[device] = isTask ? 1 : 0;
    dataSize[device] = isTask ? table.dataSize(task) : 0;
    work[device] = isTask ? table.work(task) : 0;
    age[device] = 0;
  }
}
