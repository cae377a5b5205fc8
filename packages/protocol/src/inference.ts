import { type Static, Type } from "typebox";
import { Failure } from "./failure.ts";
import { parseJson, readerOf } from "./schema.ts";

// The Open Inference Protocol, version 2 (kserve/open-inference-protocol), with Triton's binary tensor data extension:
// a JSON header of `Inference-Header-Content-Length` bytes, then the raw tensors in the order of the inputs.

/** The HTTP header that says where the JSON ends and the tensors begin. */
export const headerLengthName = "inference-header-content-length";

/** Images or samples that one request may ask to classify. */
export const maxSamples = 64;

const Parameters = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]));
const Shape = Type.Array(Type.Integer({ minimum: 0 }), { maxItems: 8 });

const RequestHeader = Type.Object({
  id: Type.Optional(Type.String()),
  parameters: Type.Optional(Parameters),
  inputs: Type.Array(
    Type.Object({
      name: Type.String(),
      shape: Shape,
      datatype: Type.String(),
      parameters: Type.Optional(Parameters),
      data: Type.Optional(Type.Array(Type.Unknown())),
    }),
    { minItems: 1 },
  ),
  outputs: Type.Optional(Type.Array(Type.Object({ name: Type.String(), parameters: Type.Optional(Parameters) }))),
});
const readRequestHeader = readerOf(RequestHeader);
export type InferenceParameters = Static<typeof Parameters>;

/** One input: `raw` when it came as binary data, else `data` as JSON had it (nested arrays flattened by the reader). */
export interface InferenceInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly raw: Buffer | undefined;
  readonly data: readonly unknown[] | undefined;
}

export interface InferenceRequest {
  readonly id: string | undefined;
  readonly parameters: InferenceParameters;
  readonly inputs: readonly InferenceInput[];
  /** Names of the outputs asked for; empty means all. */
  readonly outputs: readonly { readonly name: string; readonly binary: boolean }[];
  /** Whether outputs that are not named come as binary data. */
  readonly binaryOutput: boolean;
}

/** One output; `data` is a Float32Array for FP32 and strings for BYTES. */
export interface InferenceOutput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: "FP32" | "BYTES";
  readonly data: Float32Array | readonly string[];
}

/** A body and the length of its JSON part, undefined when the body is JSON alone. */
export interface InferenceBody {
  readonly body: Buffer;
  readonly headerLength: number | undefined;
}

/**
 * Reads an inference request.
 *
 * @param headerLength value of `Inference-Header-Content-Length`, undefined when the whole body is JSON
 * @throws Failure `wire/malformed` when the JSON, a size or the amount of binary data is off
 */
export const parseInferenceRequest = (body: Buffer, headerLength: number | undefined): InferenceRequest => {
  const end = headerLength ?? body.length;
  if (!Number.isSafeInteger(end) || end < 2 || end > body.length) {
    throw new Failure("wire/malformed", `infer: expected ${headerLengthName} between 2 and ${body.length}, got ${end}`);
  }
  const header = readRequestHeader(parseJson(body.toString("utf8", 0, end), "infer"), "infer");
  let offset = end;
  const inputs = header.inputs.map((input): InferenceInput => {
    const { name, shape, datatype, data } = input;
    const size = input.parameters?.["binary_data_size"];
    if (size === undefined) {
      if (data === undefined)
        throw new Failure("wire/malformed", `infer: input \`${name}\` has neither data nor binary_data_size`);
      return { name, shape, datatype, raw: undefined, data: data.flat(8) };
    }
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0 || offset + size > body.length) {
      const left = body.length - offset;
      throw new Failure(
        "wire/malformed",
        `infer: input \`${name}\` declares ${String(size)} bytes of binary data, the body has ${left} left`,
      );
    }
    offset += size;
    return { name, shape, datatype, raw: body.subarray(offset - size, offset), data: undefined };
  });
  if (offset !== body.length) {
    throw new Failure(
      "wire/malformed",
      `infer: the inputs declare ${offset - end} bytes of binary data, the body has ${body.length - end}`,
    );
  }
  return {
    id: header.id,
    parameters: header.parameters ?? {},
    inputs,
    outputs: (header.outputs ?? []).map(({ name, parameters }) => ({
      name,
      binary: parameters?.["binary_data"] === true,
    })),
    binaryOutput: header.parameters?.["binary_data_output"] === true,
  };
};

/**
 * The elements of a BYTES tensor: each 4 bytes of little-endian length and the bytes themselves; in JSON, base64 text.
 *
 * @throws Failure `wire/malformed` when there are more than `maxSamples`, or lengths do not add up to the data or to the shape
 */
export const bytesElements = (input: InferenceInput): Buffer[] => {
  const elements: Buffer[] = [];
  const expected = input.shape.reduce((product, size) => product * size, 1);
  if (expected > maxSamples) {
    throw new Failure(
      "wire/malformed",
      `infer: input \`${input.name}\` must have at most ${maxSamples} elements, got ${expected}`,
    );
  }
  if (input.raw === undefined) {
    for (const item of input.data ?? []) {
      if (typeof item !== "string" || item.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(item)) {
        throw new Failure(
          "wire/malformed",
          `infer: input \`${input.name}\` needs base64 strings for BYTES in JSON; send binary data to avoid them`,
        );
      }
      elements.push(Buffer.from(item, "base64"));
    }
  } else {
    let offset = 0;
    while (offset < input.raw.length && elements.length <= expected) {
      const length = offset + 4 <= input.raw.length ? input.raw.readUInt32LE(offset) : Number.POSITIVE_INFINITY;
      if (offset + 4 + length > input.raw.length) {
        throw new Failure(
          "wire/malformed",
          `infer: input \`${input.name}\`: a BYTES element reaches beyond its ${input.raw.length} bytes`,
        );
      }
      elements.push(input.raw.subarray(offset + 4, offset + 4 + length));
      offset += 4 + length;
    }
  }
  if (elements.length !== expected) {
    const got = elements.length > expected ? "more" : elements.length;
    throw new Failure(
      "wire/malformed",
      `infer: input \`${input.name}\` has the shape [${input.shape.join(", ")}] but ${got} elements`,
    );
  }
  return elements;
};

/**
 * The values of an FP32 tensor.
 *
 * @throws Failure `wire/malformed` when the number of values is not the shape's, or one is not finite
 */
export const floatElements = (input: InferenceInput): Float32Array => {
  if (input.data?.some((value) => typeof value !== "number")) {
    throw new Failure("wire/malformed", `infer: input \`${input.name}\` needs numbers for FP32`);
  }
  const values = input.raw === undefined ? Float32Array.from(input.data as number[]) : floatsOf(input.raw, input.name);
  const expected = input.shape.reduce((product, size) => product * size, 1);
  if (values.length !== expected) {
    throw new Failure(
      "wire/malformed",
      `infer: input \`${input.name}\` has the shape [${input.shape.join(", ")}] but ${values.length} values`,
    );
  }
  if (!values.every((value) => Number.isFinite(value)))
    throw new Failure("wire/malformed", `infer: input \`${input.name}\` has values that are not finite`);
  return values;
};

const floatsOf = (raw: Buffer, name: string): Float32Array => {
  if (raw.length % 4 !== 0)
    throw new Failure("wire/malformed", `infer: input \`${name}\` has ${raw.length} bytes, no multiple of 4`);
  return new Float32Array(Uint8Array.from(raw).buffer);
};

/** The body that uploads one image as BYTES, raw, with ids in `parameters`. */
export const encodeImageRequest = (
  image: Uint8Array,
  id: string,
  parameters: InferenceParameters,
): { readonly body: Buffer; readonly headerLength: number } => {
  const header = Buffer.from(
    JSON.stringify({
      id,
      parameters,
      inputs: [{ name: "image", shape: [1], datatype: "BYTES", parameters: { binary_data_size: image.length + 4 } }],
    }),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(image.length);
  return { body: Buffer.concat([header, length, image]), headerLength: header.length };
};

/** The response body: JSON, or JSON and raw tensors where the request asks for binary outputs. */
export const encodeInferenceResponse = (
  request: InferenceRequest,
  model: string,
  outputs: readonly InferenceOutput[],
  parameters: InferenceParameters = {},
): InferenceBody => {
  const wanted =
    request.outputs.length === 0 ? outputs : outputs.filter(({ name }) => request.outputs.some((o) => o.name === name));
  const tensors: Buffer[] = [];
  const described = wanted.map((output) => {
    const { name, shape, datatype } = output;
    const asked = request.outputs.find((o) => o.name === name);
    if (!(asked?.binary ?? request.binaryOutput)) return { name, shape, datatype, data: [...output.data] };
    const raw = rawOf(output);
    tensors.push(raw);
    return { name, shape, datatype, parameters: { binary_data_size: raw.length } };
  });
  const header = Buffer.from(
    JSON.stringify({
      ...(request.id === undefined ? {} : { id: request.id }),
      model_name: model,
      ...(Object.keys(parameters).length > 0 ? { parameters } : {}),
      outputs: described,
    }),
  );
  return tensors.length === 0
    ? { body: header, headerLength: undefined }
    : { body: Buffer.concat([header, ...tensors]), headerLength: header.length };
};

const rawOf = ({ data }: InferenceOutput): Buffer => {
  if (data instanceof Float32Array) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.concat(
    [...data].flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
};
