import { type LinkEstimate, linkEstimate, linkMemory, rateCorrection, type TimedUpload } from "@offloadlab/records";

/** What the uploads of each device have said of its link, over the trials of a run. */
export class Links {
  readonly #uploads = new Map<string, TimedUpload[]>();
  readonly #estimates = new Map<string, LinkEstimate>();

  /** An upload that has been timed. */
  add(device: string, upload: TimedUpload): void {
    const uploads = [...(this.#uploads.get(device) ?? []), upload].slice(-linkMemory);
    this.#uploads.set(device, uploads);
    const estimate = linkEstimate(uploads);
    if (estimate !== undefined) this.#estimates.set(device, estimate);
  }

  estimateOf(device: string): LinkEstimate | undefined {
    return this.#estimates.get(device);
  }

  /** What the theory's rate of a device is to be multiplied by. */
  correctionOf(device: string): number {
    return rateCorrection(this.#estimates.get(device));
  }

  /** By device. */
  get estimates(): Record<string, LinkEstimate> {
    return Object.fromEntries(this.#estimates);
  }

  clear(): void {
    this.#uploads.clear();
    this.#estimates.clear();
  }
}
