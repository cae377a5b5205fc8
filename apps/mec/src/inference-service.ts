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
  maxSamples,
  messageOf,
  parseInferenceRequest,
} from "@offloadlab/protocol";
import { cycles, seconds } from "@offloadlab/units";
import type { CommunityTrial } from "./community-trial.ts";
import type { OpenLease } from "./leases.ts";
import type { ServerMetrics } from "./metrics.ts";
import type { ServiceEnergy } from "./service-energy.ts";
import type { ShareScheduler } from "./share-scheduler.ts";
import { readTimedBody } from "./timed-body.ts";

/** The trial that runs on this server, and how its offloaded work is executed. */
export interface RunningTrial {
  readonly community: CommunityTrial;
  readonly scheduler: ShareScheduler;
  /** What measures tasks; absent where nothing is measured. */
  readonly energy?: ServiceEnergy;
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
    let executed: OpenLease | undefined;
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
      executed = open;
      return await this.#withLease(trial, open, request, upload);
    } catch (error) {
      // Whatever went wrong, the device's shares are free again; those that another upload executes under are that one's.
      if (held !== undefined && (held.state === "granted" || held === executed))
        trial?.community.release(held, messageOf(error));
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
    const { clock } = trial.community;
    open.state = "executing";
    const uploadSeconds = (upload.milliseconds / 1000) * clock.speed;
    const work = trial.workOf(lease.task);
    if (work === undefined) throw new RangeError(`Expected the work of ${lease.task} from its offload request`);
    const [samples, inferences] = this.#inferences(request);
    if (samples !== 1) throw new Failure("wire/malformed", `infer: expected one image under a lease, got ${samples}`);
    const start = clock.now();
    const metered = trial.energy?.begin(lease.task, lease.computeShare);
    const execution = trial.scheduler.execute(cycles(work), lease.computeShare);
    const inference = inferences().then((classified) => ({ classified, delay: clock.now() - start }));
    // Also when the inference fails, the shares are held until the scheduler has nothing of the task left.
    await Promise.allSettled([execution, inference]);
    metered?.end(seconds(clock.now() - start));
    const { queue, delay: paced, achievedShare: pacedShare } = await execution;
    const { classified, delay: inferred } = await inference;
    // A model slower than C / (β · F) makes the task late, and its share smaller than its lease says.
    const executionSeconds = Math.max(paced, inferred);
    const achievedComputeShare = (pacedShare * paced) / executionSeconds;
    const label = classified[0]?.label ?? "";
    trial.community.served(open, {
      task: lease.task,
      lease: lease.id,
      uploadBytes: upload.body.length,
      uploadSeconds,
      theoreticalUploadSeconds: open.theoreticalUpload,
      leasedUploadSeconds: lease.theoreticalUploadSeconds,
      queueSeconds: queue,
      executionSeconds,
      computeShare: lease.computeShare,
      achievedComputeShare,
      label,
    });
    this.#metrics.transmissionError.observe(uploadSeconds / open.theoreticalUpload - 1);
    this.#metrics.phases.observe({ phase: "upload" }, uploadSeconds);
    this.#metrics.phases.observe({ phase: "execution" }, executionSeconds);
    return this.#response(request, classified, {
      task_id: lease.task,
      lease_id: lease.id,
      upload_seconds: uploadSeconds,
      theoretical_upload_seconds: lease.theoreticalUploadSeconds,
      queue_seconds: queue,
      execution_seconds: executionSeconds,
      compute_share: lease.computeShare,
      achieved_compute_share: achievedComputeShare,
    });
  }

  async #withoutLease(request: InferenceRequest): Promise<InferenceBody> {
    if (this.#trial() !== undefined) {
      throw new Failure(
        "peer/slow",
        "a trial runs on this server, and inference without a lease would disturb it; try again later",
      );
    }
    const [, inferences] = this.#inferences(request);
    return this.#response(request, await inferences(), {});
  }

  /**
   * How many results a request asks for, and what computes them: one per image of a BYTES input, or per sample of an FP32
   * input in the model's own layout.
   */
  #inferences(request: InferenceRequest): readonly [samples: number, run: () => Promise<Classification[]>] {
    const { card } = this.#classifier;
    const [input] = request.inputs;
    if (input === undefined || request.inputs.length !== 1) {
      throw new Failure(
        "wire/malformed",
        `infer: expected one input, \`image\` or \`${card.input.name}\`, got ${request.inputs.length}`,
      );
    }
    if (input.name === "image" && input.datatype === "BYTES") {
      const images = bytesElements(input);
      return [images.length, () => Promise.all(images.map((image) => this.#classifier.classify(image)))];
    }
    if (input.name === card.input.name && input.datatype === "FP32") {
      const samples = samplesOf(input, this.#sampleShape);
      return [samples.length, () => Promise.all(samples.map((sample) => this.#classifier.infer(sample)))];
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
  const [samples = 0] = input.shape;
  if (samples > maxSamples)
    throw new Failure("wire/malformed", `infer: expected at most ${maxSamples} samples, got ${samples}`);
  const size = sampleShape.reduce((product, length) => product * length, 1);
  return Array.from(
    { length: samples },
    (_, index) => new Float32Array(values.subarray(index * size, (index + 1) * size)),
  );
};
