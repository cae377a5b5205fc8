/** Arrival, data, work and image of a task, side by side: a task is read whole. */
const width = 4;

/** The tasks of an epoch in one array that grows and is used again: no object per task. */
export class TaskTable {
  private rows = new Float64Array(64 * width);
  private count = 0;

  get length(): number {
    return this.count;
  }

  clear(): void {
    this.count = 0;
  }

  /** Takes over the tasks of another table; allocates only to have room for them. */
  copyFrom(other: TaskTable): void {
    if (this.rows.length < other.rows.length) this.rows = new Float64Array(other.rows.length);
    this.rows.set(other.rows);
    this.count = other.count;
  }

  push(arrival: number, dataSize: number, work: number, image: number): void {
    if (this.count * width === this.rows.length) {
      const rows = new Float64Array(2 * this.rows.length);
      rows.set(this.rows);
      this.rows = rows;
    }
    const row = this.count++ * width;
    this.rows[row] = arrival;
    this.rows[row + 1] = dataSize;
    this.rows[row + 2] = work;
    this.rows[row + 3] = image;
  }

  /** Seconds from the start of the epoch. */
  arrival(task: number): number {
    return this.rows[task * width] as number;
  }

  /** D, bits */
  dataSize(task: number): number {
    return this.rows[task * width + 1] as number;
  }

  /** C, cycles */
  work(task: number): number {
    return this.rows[task * width + 2] as number;
  }

  /** Which image of its device's set it asks to classify. */
  image(task: number): number {
    return this.rows[task * width + 3] as number;
  }
}
