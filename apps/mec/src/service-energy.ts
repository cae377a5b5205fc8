import type { TrialBoard } from "@offloadlab/hardware";
import type { Journal } from "@offloadlab/records";
import { joules, type Seconds, type Watts, watts } from "@offloadlab/units";

/** A service whose energy is being measured. */
export interface MeteredService {
  /** The task was executed, in so much time. */
  end(execution: Seconds): void;
}

/**
 * E^m as this server's meter has it, journalled beside each service.
 *
 * Tasks that execute at the same time share what was measured as they share the server: the model gives each P_m times its
 * compute share. On emulated hardware Eq. (7) is all there is, and nothing is journalled.
 */
export class ServiceEnergy {
  readonly #board: TrialBoard;
  readonly #power: Watts;
  readonly #trial: number;
  readonly #journal: Journal;
  readonly #open = new Set<Promise<void>>();

  /** @param power P_m */
  constructor(board: TrialBoard, power: Watts, trial: number, journal: Journal) {
    this.#board = board;
    this.#power = power;
    this.#trial = trial;
    this.#journal = journal;
  }

  /** A task begins to execute, now. */
  begin(task: string, computeShare: number): MeteredService {
    const power = watts(this.#power * computeShare);
    const metered = this.#board.meter.begin(power);
    return {
      end: (execution) => {
        metered.stop();
        if (this.#board.drain === "emulated") return;
        const noted = metered
          .reading(joules(power * execution))
          .then(({ joules: energy, uncertainty, coverage, method }) =>
            this.#journal.write({
              kind: "service-energy",
              trial: this.#trial,
              task,
              energyJoules: energy,
              energyUncertaintyJoules: uncertainty,
              energyCoverageRatio: coverage,
              energyMethod: method,
            }),
          );
        this.#open.add(noted);
        void noted.then(() => this.#open.delete(noted));
      },
    };
  }

  /** Resolves when every service that has ended is journalled. */
  async settled(): Promise<void> {
    await Promise.all(this.#open);
  }
}
