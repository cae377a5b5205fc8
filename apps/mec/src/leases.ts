import { randomUUID } from "node:crypto";
import type { Lease } from "@offloadlab/protocol";
import { type Seconds, seconds } from "@offloadlab/units";

/** A lease and how far its task has come. */
export interface OpenLease {
  readonly lease: Lease;
  readonly device: string;
  /** T^tr of Eq. (2), whatever the lease says. */
  readonly theoreticalUpload: Seconds;
  /** Bandwidth is held until the upload has ended, compute until the execution has. */
  state: "granted" | "executing";
}

/** The leases of a community that are in flight, and the shares they hold. */
export class Leases {
  readonly #open = new Map<string, OpenLease>();

  get size(): number {
    return this.#open.size;
  }

  get bandwidthInUse(): number {
    let sum = 0;
    for (const { lease, state } of this.#open.values()) if (state === "granted") sum += lease.bandwidthShare;
    return sum;
  }

  get computeInUse(): number {
    let sum = 0;
    for (const { lease } of this.#open.values()) sum += lease.computeShare;
    return sum;
  }

  /** @param theoreticalUpload T^tr of Eq. (2), where the lease's is a corrected one */
  grant(
    device: string,
    terms: Omit<Lease, "id">,
    theoreticalUpload = seconds(terms.theoreticalUploadSeconds),
  ): OpenLease {
    const open: OpenLease = { lease: { id: randomUUID(), ...terms }, device, theoreticalUpload, state: "granted" };
    this.#open.set(open.lease.id, open);
    return open;
  }

  find(id: string): OpenLease | undefined {
    return this.#open.get(id);
  }

  /** The lease that a device has in flight; there is at most one. */
  of(device: string): OpenLease | undefined {
    for (const open of this.#open.values()) if (open.device === device) return open;
    return undefined;
  }

  release(open: OpenLease): boolean {
    return this.#open.delete(open.lease.id);
  }
}
