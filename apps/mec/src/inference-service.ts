import type { Readable } from "node:stream";
import type { Classification, Classifier } from "@offloadlab/classifier";
import {
  bytesElements,
  encodeInferenceResponse,
  Failure,
  floatElements,
  type Identity,
  type InferenceBody,
  type InferenceInput,
  type InferenceParameters,
  type InferenceRequest,
  parseInferenceRequest,
} from "@offloadlab/protocol";
import { cycles } from "@offloadlab/units";
import type { CommunityTrial } from "./community-trial.ts";
import type { OpenLease } from "./leases.ts";
import type { ServerMetrics } from "./metrics.ts";
import type { ShareScheduler } from "./share-scheduler.ts";
import { readTimedBody } from "./timed-body.ts";

/** The trial that runs on this server, and how its offloaded work is executed. */
export interface RunningTrial {
  readonly community: CommunityTrial;
  readonly scheduler: ShareScheduler;
  /** Work of a task, from its offload request. */
  readonly workOf: (task: string) => number | undefined;
}

/** What the HTTP routes hand over of an inference request. */
export interface InferenceCall {
  readonly peer: Identity;
  readonly body: Readable;
  readonly headerLength: number | undefined;
}

/**
 * Inference for leased tasks, timed and under their share, and for anyone else without a lease while no trial runs.
 */
export class InferenceService {
  readonly #classifier: Classifier;
  readonly #limit: number;
  readonly #trial: () => RunningTrial | undefined;
  readonly #metrics: ServerMetrics;

  constructor(
    classifier: Classifier,
    limitBytes: number,
    trial: () => RunningTrial | undefined,
    metrics: ServerMetrics,
  ) {
    this.#classifier = classifier;
    this.#limit = limitBytes;
    this.#trial = trial;
    this.#metrics = metrics;
  }

  /** @throws Failure as the request, the image or the lease is wrong */
  async infer({ peer, body, headerLength }: InferenceCall): Promise<InferenceBody> {
    const trial = this.#trial();
    const held = trial?.community.leases.of(peer.id);
    try {
      const upload = await readTimedBody(body, this.#limit);
      const request = parseInferenceRequest(upload.body, headerLength);
      const leaseId = request.parameters["lease_id"];
      if (leaseId === undefined) return await this.#withoutLease(request);
      const open = trial?.community.leases.find(String(leaseId));
      if (trial === undefined || open === undefined || open.state !== "granted") {
        throw new Failure("peer/refused", `lease ${String(leaseId)} is not open; ask for a new one`);
      }
      if (open.device !== peer.id || request.parameters["task_id"] !== open.lease.task) {
        throw new Failure(
          "peer/refused",
          `lease ${open.lease.id} is for ${open.lease.task} of ${open.device}, not for this upload of ${peer.id}`,
        );
      }
      return await this.#withLease(trial, open, request, upload);
    } catch (error) {
      // Whatever went wrong, the device's shares are free again.
      if (held !== undefined) trial?.community.release(held, error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  async #withLease(
    trial: RunningTrial,
    open: OpenLease,
    request: InferenceRequest,
    upload: { readonly body: Buffer; readonly milliseconds: number },
  ): Promise<InferenceBody> {
    const { lease } = open;
    open.state = "executing";
    const uploadSeconds = (upload.milliseconds / 1000) * trial.community.clock.speed;
    const work = trial.workOf(lease.task);
    if (work === undefined) throw new RangeError(`Expected the work of ${lease.task} from its offload request`);
    const [classified, execution] = await Promise.all([
      this.#classify(request),
      trial.scheduler.execute(cycles(work), lease.computeShare),
    ]);
    const label = classified[0]?.label ?? "";
    trial.community.served(open, {
      task: lease.task,
      lease: lease.id,
      uploadBytes: upload.body.length,
      uploadSeconds,
      theoreticalUploadSeconds: lease.theoreticalUploadSeconds,
      queueSeconds: execution.queue,
      executionSeconds: execution.delay,
      computeShare: lease.computeShare,
      achievedComputeShare: execution.achievedShare,
      label,
    });
    this.#metrics.transmissionError.observe(uploadSeconds / lease.theoreticalUploadSeconds - 1);
    this.#metrics.phases.observe({ phase: "upload" }, uploadSeconds);
    this.#metrics.phases.observe({ phase: "execution" }, execution.delay);
    return this.#response(request, classified, {
      task_id: lease.task,
      lease_id: lease.id,
      upload_seconds: uploadSeconds,
      theoretical_upload_seconds: lease.theoreticalUploadSeconds,
      queue_seconds: execution.queue,
      execution_seconds: execution.delay,
      compute_share: lease.computeShare,
      achieved_compute_share: execution.achievedShare,
    });
  }

  async #withoutLease(request: InferenceRequest): Promise<InferenceBody> {
    if (this.#trial() !== undefined) {
      throw new Failure(
        "peer/slow",
        "a trial runs on this server, and inference without a lease would disturb it; try again later",
      );
    }
    return this.#response(request, await this.#classify(request), {});
  }

  /** One result per image of a BYTES input, or per sample of an FP32 input in the model's own layout. */
  #classify(request: InferenceRequest): Promise<Classification[]> {
    const { card } = this.#classifier;
    const [input] = request.inputs;
    if (input === undefined || request.inputs.length !== 1) {
      throw new Failure(
        "wire/malformed",
        `infer: expected one input, \`image\` or \`${card.input.name}\`, got ${request.inputs.length}`,
      );
    }
    if (input.name === "image" && input.datatype === "BYTES") {
      return Promise.all(bytesElements(input).map((image) => this.#classifier.classify(image)));
    }
    if (input.name === card.input.name && input.datatype === "FP32") {
      return Promise.all(samplesOf(input, this.#sampleShape).map((sample) => this.#classifier.infer(sample)));
    }
    throw new Failure(
      "wire/malformed",
      `infer: expected the input \`image\` of BYTES or \`${card.input.name}\` of FP32, got \`${input.name}\` of ${input.datatype}`,
    );
  }

  get #sampleShape(): readonly number[] {
    const { layout, width, height } = this.#classifier.card.input;
    return layout === "nchw" ? [3, height, width] : [height, width, 3];
  }

  #response(
    request: InferenceRequest,
    classified: readonly Classification[],
    parameters: InferenceParameters,
  ): InferenceBody {
    const { card } = this.#classifier;
    const probabilities = new Float32Array(classified.length * card.labels.length);
    for (const [index, result] of classified.entries())
      probabilities.set(result.probabilities, index * card.labels.length);
    return encodeInferenceResponse(
      request,
      card.name,
      [
        { name: "label", shape: [classified.length], datatype: "BYTES", data: classified.map(({ label }) => label) },
        {
          name: "probabilities",
          shape: [classified.length, card.labels.length],
          datatype: "FP32",
          data: probabilities,
        },
      ],
      parameters,
    );
  }
}

const samplesOf = (input: InferenceInput, sampleShape: readonly number[]): Float32Array<ArrayBuffer>[] => {
  const values = floatElements(input);
  if (input.shape.length !== 4 || input.shape.slice(1).join() !== sampleShape.join()) {
    throw new Failure(
      "wire/malformed",
      `infer: expected the shape [n, ${sampleShape.join(", ")}], got [${input.shape.join(", ")}]`,
    );
  }
  const size = sampleShape.reduce((product, length) => product * length, 1);
  return Array.from(
    { length: input.shape[0] ?? 0 },
    (_, index) => new Float32Array(values.subarray(index * size, (index + 1) * size)),
  );
};
