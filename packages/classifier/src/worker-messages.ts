// What the classifier and its worker thread say to each other.

/** What the worker needs to start. */
export interface WorkerData {
  readonly modelFile: string;
  readonly inputName: string;
  /** With the batch of 1. */
  readonly inputShape: readonly number[];
  readonly outputName: string;
  readonly labelCount: number;
  readonly threads: number;
}

/** A tensor to classify, or the wish that the worker end itself after what it was given before. */
export type WorkerRequest = { readonly id: number; readonly tensor: Float32Array<ArrayBuffer> } | "close";

export type WorkerAnswer =
  | { readonly kind: "ready" }
  /** The model cannot be used; the worker has ended itself. */
  | { readonly kind: "unloadable"; readonly message: string }
  | {
      readonly kind: "inferred";
      readonly id: number;
      readonly outputs: Float32Array<ArrayBuffer>;
      readonly inferSeconds: number;
    }
  /** One inference failed; the worker goes on. */
  | { readonly kind: "failed"; readonly id: number; readonly message: string };
