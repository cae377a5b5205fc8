/** A lane of every device, its processor or its radio: how long each is busy, and what is owed when it ends. */
export class Lane {
  /** [n] when it is free again, in seconds of the epoch */
  readonly until: Float64Array;
  /** [n] rewards of tasks that run, while they are paid at completion */
  readonly owed: Float64Array;

  constructor(deviceCount: number) {
    this.until = new Float64Array(deviceCount);
    this.owed = new Float64Array(deviceCount);
  }

  clear(): void {
    this.until.fill(0);
    this.owed.fill(0);
  }

  copyFrom({ until, owed }: Lane): void {
    this.until.set(until);
    this.owed.set(owed);
  }

  /** What is due of a device whose lane is free. It is owed no longer. */
  collect(device: number): number {
    const due = this.owed[device] as number;
    this.owed[device] = 0;
    return due;
  }
}
