import { setTimeout as sleep } from "node:timers/promises";
import type { RandomStream } from "@offloadlab/model";
import type { RehearsalProcess } from "../lab/rehearsal-process.ts";

/** Whom a rehearsal, as systemd, no longer starts again: who ends more often than this within a minute. */
const mostRestarts = 5;
const restartsSeconds = 65;

export interface Kill {
  readonly node: string;
  /** Unix seconds. */
  readonly at: number;
}

/** Kills processes of a rehearsal that a seed chooses, at moments that it chooses. */
export class Killer {
  readonly kills: Kill[] = [];
  readonly #rehearsal: RehearsalProcess;
  readonly #nodes: readonly string[];
  readonly #random: RandomStream;

  constructor(rehearsal: RehearsalProcess, nodes: readonly string[], random: RandomStream) {
    this.#rehearsal = rehearsal;
    this.#nodes = nodes;
    this.#random = random;
  }

  /** Some kills, each at a moment of its own between now and a time after, real seconds. */
  async kill(count: number, withinSeconds: number): Promise<void> {
    // All that is random is drawn now, in one order, whatever comes first later.
    const plans = Array.from({ length: count }, () => ({
      afterSeconds: this.#random.uniform(0, withinSeconds),
      order: this.#shuffled(),
    }));
    await Promise.all(plans.map(({ afterSeconds, order }) => this.#killFirst(order, afterSeconds)));
  }

  /** The first of an order that exists, ready or just starting, and may be killed once more. */
  async #killFirst(order: readonly string[], afterSeconds: number): Promise<void> {
    await sleep(1000 * afterSeconds);
    const daemons = this.#rehearsal.daemons();
    const at = (performance.timeOrigin + performance.now()) / 1000;
    const recent = this.kills.filter((kill) => at - kill.at < restartsSeconds);
    const mayDie = (node: string): boolean => recent.filter((kill) => kill.node === node).length < mostRestarts;
    const node = order.find((each) => daemons.has(each) && mayDie(each));
    if (node === undefined) throw new RangeError(`Expected a process to kill, got only ${[...daemons.keys()]}`);
    process.kill(daemons.get(node) as number, "SIGKILL");
    this.kills.push({ node, at });
  }

  #shuffled(): string[] {
    const left = [...this.#nodes];
    return this.#nodes.flatMap(() => left.splice(this.#random.integer(left.length), 1));
  }
}
