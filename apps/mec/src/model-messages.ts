// What a MEC and the program that runs somebody else's model say to each other.
import type { PolicyCard } from "@offloadlab/deployed";

/** What the program needs to start. */
export interface ModelData {
  readonly bytes: Uint8Array;
  readonly card: PolicyCard;
  /** Devices of the community. */
  readonly n: number;
  /** The model's name, for the problems. */
  readonly file: string;
}

export interface ModelRequest {
  readonly id: number;
  readonly features: Float32Array<ArrayBuffer>;
}

export type ModelAnswer =
  | { readonly kind: "ready" }
  /** The model cannot be used; the program ends. */
  | { readonly kind: "unloadable"; readonly message: string }
  | { readonly kind: "answered"; readonly id: number; readonly action: Float32Array<ArrayBuffer> }
  /** One run failed; the program goes on. */
  | { readonly kind: "failed"; readonly id: number; readonly message: string };
