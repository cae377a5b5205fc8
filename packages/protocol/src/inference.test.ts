import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Failure } from "./failure.ts";
import {
  bytesElements,
  encodeImageRequest,
  encodeInferenceResponse,
  floatElements,
  type InferenceInput,
  parseInferenceRequest,
} from "./inference.ts";

const parameters = fc.dictionary(
  fc.string({ minLength: 1 }).filter((key) => key !== "__proto__"),
  fc.oneof(fc.string(), fc.integer(), fc.boolean()),
  { noNullPrototype: true },
);
const image = fc.uint8Array({ maxLength: 300 });

/** A body as a client writes it: a JSON header and raw tensors. */
const bodyOf = (header: unknown, ...tensors: readonly Uint8Array[]) => {
  const json = Buffer.from(JSON.stringify(header));
  return { body: Buffer.concat([json, ...tensors]), headerLength: json.length };
};

const malformed = (read: () => unknown): void => {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).code).toBe("wire/malformed");
    return;
  }
  expect.fail("was accepted");
};

/** Reads a body to its last element; says whether it was accepted. */
const readWhole = (body: Buffer, headerLength: number | undefined): boolean => {
  try {
    for (const input of parseInferenceRequest(body, headerLength).inputs) {
      if (input.datatype === "BYTES") bytesElements(input);
      else floatElements(input);
    }
    return true;
  } catch (error) {
    if (error instanceof Failure && error.code === "wire/malformed") return false;
    throw error;
  }
};

const inputOf = (body: Buffer, headerLength?: number): InferenceInput =>
  parseInferenceRequest(body, headerLength).inputs[0] as InferenceInput;
const bytesRequest = (data: unknown, shape: number[]) =>
  bodyOf({ inputs: [{ name: "image", shape, datatype: "BYTES", data }] }).body;
const floatRequest = (data: unknown, shape: number[]) =>
  bodyOf({ inputs: [{ name: "pixels", shape, datatype: "FP32", data }] }).body;

describe("a request with binary data", () => {
  it("brings back the image, the id and the parameters that were encoded", () => {
    fc.assert(
      fc.property(image, fc.string(), parameters, (bytes, id, given) => {
        const { body, headerLength } = encodeImageRequest(bytes, id, given);
        const request = parseInferenceRequest(body, headerLength);
        expect(request.id).toBe(id);
        expect(request.parameters).toEqual(given);
        expect(request.inputs).toHaveLength(1);
        expect(bytesElements(request.inputs[0] as InferenceInput)).toEqual([Buffer.from(bytes)]);
      }),
    );
  });

  it("is refused wherever it is cut off", () => {
    fc.assert(
      fc.property(image, parameters, (bytes, given) => {
        const { body, headerLength } = encodeImageRequest(bytes, "ed-1-1-0", given);
        for (let length = 0; length < body.length; length += 1) {
          malformed(() => parseInferenceRequest(body.subarray(0, length), headerLength));
          malformed(() => parseInferenceRequest(body.subarray(0, length), undefined));
        }
      }),
      { numRuns: 20 },
    );
  });

  it("is refused with bytes behind its last tensor", () => {
    const { body, headerLength } = encodeImageRequest(Buffer.from("image"), "1", {});
    malformed(() => parseInferenceRequest(Buffer.concat([body, Buffer.of(0)]), headerLength));
  });

  it("is refused with any other header length, so that no tensor is read as JSON or the reverse", () => {
    const { body, headerLength } = encodeImageRequest(Buffer.from("image"), "1", {});
    for (let length = -2; length <= body.length + 2; length += 1) {
      if (length !== headerLength) malformed(() => parseInferenceRequest(body, length));
    }
    for (const length of [Number.NaN, Number.POSITIVE_INFINITY, 10.5, 2 ** 53]) {
      malformed(() => parseInferenceRequest(body, length));
    }
  });

  it("is refused when a tensor's size is not a number of bytes that are there", () => {
    const sized = (size: unknown) =>
      bodyOf(
        { inputs: [{ name: "x", shape: [1], datatype: "FP32", parameters: { binary_data_size: size } }] },
        Buffer.alloc(4),
      );
    expect(floatElements(inputOf(sized(4).body, sized(4).headerLength))).toEqual(Float32Array.of(0));
    for (const size of [0, 3, 5, -4, 4.5, 2 ** 60, "4", true, null]) {
      const { body, headerLength } = sized(size);
      malformed(() => parseInferenceRequest(body, headerLength));
    }
  });

  it("gives every input its own bytes, in the order of the inputs", () => {
    fc.assert(
      fc.property(fc.array(image, { minLength: 1, maxLength: 6 }), (tensors) => {
        const { body, headerLength } = bodyOf(
          {
            inputs: tensors.map((tensor, index) => ({
              name: `t${index}`,
              shape: [tensor.length],
              datatype: "UINT8",
              parameters: { binary_data_size: tensor.length },
            })),
          },
          ...tensors,
        );
        const { inputs } = parseInferenceRequest(body, headerLength);
        expect(inputs.map(({ raw }) => raw)).toEqual(tensors.map((tensor) => Buffer.from(tensor)));
      }),
    );
  });
});

describe("anything else that comes as a body", () => {
  it("is a Failure when it is noise, and nothing but a Failure", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.option(fc.integer(), { nil: undefined }), (noise, headerLength) => {
        readWhole(Buffer.from(noise), headerLength);
      }),
      { numRuns: 500 },
    );
  });

  it("is a Failure when it is JSON of another kind, and nothing but a Failure", () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const input = fc.record(
      { name: value, shape: value, datatype: fc.constantFrom("BYTES", "FP32"), data: value, parameters: value },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(value, fc.record({ inputs: fc.array(input) })), (header) => {
        readWhole(Buffer.from(JSON.stringify(header)), undefined);
      }),
      { numRuns: 500 },
    );
  });

  it("is read or refused with a Failure when bytes of a valid body are changed", () => {
    const { body, headerLength } = encodeImageRequest(Buffer.from("an image"), "ed-1-1-0", { lease_id: "a", n: 3 });
    const json = bytesRequest(["YQ==", ["Yg=="]], [2]);
    const change = fc.tuple(fc.nat(), fc.nat(255));
    let refused = 0;
    fc.assert(
      fc.property(fc.boolean(), fc.array(change, { minLength: 1, maxLength: 4 }), (binary, changes) => {
        const changed = Buffer.from(binary ? body : json);
        for (const [place, byte] of changes) changed[place % changed.length] = byte;
        if (!readWhole(changed, binary ? headerLength : undefined)) refused += 1;
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  it("is refused when JSON is nested deeper than the stack", () => {
    const deep = `${"[".repeat(200_000)}1${"]".repeat(200_000)}`;
    malformed(() => parseInferenceRequest(Buffer.from(deep), undefined));
    malformed(() => parseInferenceRequest(Buffer.from(`{"inputs":${deep}}`), undefined));
    for (const datatype of ["FP32", "BYTES"]) {
      const body = Buffer.from(`{"inputs":[{"name":"x","shape":[1],"datatype":"${datatype}","data":${deep}}]}`);
      expect(readWhole(body, undefined)).toBe(false);
    }
  });
});

describe("BYTES", () => {
  it("are at most 64", () => {
    const texts = (length: number) => Array.from({ length }, () => "YQ==");
    expect(bytesElements(inputOf(bytesRequest(texts(64), [64])))).toHaveLength(64);
    malformed(() => bytesElements(inputOf(bytesRequest(texts(65), [65]))));
    malformed(() => bytesElements(inputOf(bytesRequest(texts(64), [2 ** 40]))));
  });

  it("come as base64 in JSON, nested or flat", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 5 }), (elements) => {
        const texts = elements.map((element) => Buffer.from(element).toString("base64"));
        const expected = elements.map((element) => Buffer.from(element));
        expect(bytesElements(inputOf(bytesRequest(texts, [elements.length])))).toEqual(expected);
        const nested = texts.map((text) => [[text]]);
        expect(bytesElements(inputOf(bytesRequest(nested, [elements.length, 1, 1])))).toEqual(expected);
      }),
    );
  });

  it("are refused in JSON when they are no base64, or not as many as the shape says", () => {
    for (const item of ["a b", "YQ=YQ", "====", "é", 7, null, true, {}]) {
      malformed(() => bytesElements(inputOf(bytesRequest([item], [1]))));
    }
    malformed(() => bytesElements(inputOf(bytesRequest(["YQ=="], [2]))));
    malformed(() => bytesElements(inputOf(bytesRequest(["YQ==", "YQ=="], [1]))));
  });

  it("are refused in binary when a length reaches beyond the data or the shape says another number", () => {
    const element = (length: number, content: string): Buffer => {
      const head = Buffer.alloc(4);
      head.writeUInt32LE(length);
      return Buffer.concat([head, Buffer.from(content)]);
    };
    const read = (raw: Buffer, shape: number[]) => {
      const header = { name: "image", shape, datatype: "BYTES", parameters: { binary_data_size: raw.length } };
      const { body, headerLength } = bodyOf({ inputs: [header] }, raw);
      return bytesElements(inputOf(body, headerLength)).map(String);
    };
    expect(read(Buffer.concat([element(2, "ab"), element(0, ""), element(1, "c")]), [3])).toEqual(["ab", "", "c"]);
    malformed(() => read(element(3, "ab"), [1]));
    malformed(() => read(element(0xffffffff, "ab"), [1]));
    malformed(() => read(element(1, "ab"), [1]));
    malformed(() => read(element(2, "ab").subarray(0, 3), [1]));
    malformed(() => read(element(2, "ab"), [2]));
    malformed(() => read(Buffer.alloc(0), [1]));
  });
});

describe("FP32", () => {
  it("come nested or flat in JSON and as raw little-endian data alike", () => {
    fc.assert(
      fc.property(fc.float32Array({ noDefaultInfinity: true, noNaN: true, maxLength: 20 }), (values) => {
        // JSON has no -0.
        const expected = values.map((value) => value + 0);
        expect(floatElements(inputOf(floatRequest([...expected], [values.length])))).toEqual(expected);
        const nested = [...expected].map((value) => [[value]]);
        expect(floatElements(inputOf(floatRequest([nested], [1, values.length, 1, 1])))).toEqual(expected);
        const raw = Buffer.from(expected.buffer, expected.byteOffset, expected.byteLength);
        const input = {
          name: "x",
          shape: [values.length],
          datatype: "FP32",
          parameters: { binary_data_size: raw.length },
        };
        // One byte more in front: the tensor need not be aligned in the body.
        for (const id of ["", "a", "ab", "abc"]) {
          const { body, headerLength } = bodyOf({ id, inputs: [input] }, raw);
          expect(floatElements(inputOf(body, headerLength))).toEqual(expected);
        }
      }),
    );
  });

  it("are refused when a value is no finite number", () => {
    for (const item of ["1", null, true, {}, { valueOf: 1, toString: 1 }, 1e39]) {
      malformed(() => floatElements(inputOf(floatRequest([item], [1]))));
    }
    const raw = Buffer.alloc(4);
    raw.writeFloatLE(Number.NaN);
    malformed(() => floatElements({ name: "x", shape: [1], datatype: "FP32", raw, data: undefined }));
  });

  it("are refused when their number is not the shape's, or bytes are left over", () => {
    malformed(() => floatElements(inputOf(floatRequest([1, 2, 3], [2, 2]))));
    const raw = (size: number) => ({
      name: "x",
      shape: [1],
      datatype: "FP32",
      raw: Buffer.alloc(size),
      data: undefined,
    });
    expect(floatElements(raw(4))).toHaveLength(1);
    malformed(() => floatElements(raw(5)));
    malformed(() => floatElements(raw(8)));
  });
});

describe("a response", () => {
  const outputs = [
    { name: "label", shape: [2], datatype: "BYTES" as const, data: ["cat", "Löwe"] },
    { name: "probabilities", shape: [2, 2], datatype: "FP32" as const, data: Float32Array.of(0.25, 0.75, 1, 0) },
  ];
  const request = (header: object) =>
    parseInferenceRequest(
      bodyOf({ inputs: [{ name: "x", shape: [0], datatype: "FP32", data: [] }], ...header }).body,
      undefined,
    );

  it("is JSON alone unless binary data is asked for", () => {
    const { body, headerLength } = encodeInferenceResponse(request({ id: "7" }), "net", outputs, { task_id: "t" });
    expect(headerLength).toBeUndefined();
    expect(JSON.parse(String(body))).toEqual({
      id: "7",
      model_name: "net",
      parameters: { task_id: "t" },
      outputs: [
        { name: "label", shape: [2], datatype: "BYTES", data: ["cat", "Löwe"] },
        { name: "probabilities", shape: [2, 2], datatype: "FP32", data: [0.25, 0.75, 1, 0] },
      ],
    });
  });

  it("brings the outputs that are asked for as binary behind its JSON, lengths in bytes", () => {
    const asked = request({ parameters: { binary_data_output: true } });
    const { body, headerLength } = encodeInferenceResponse(asked, "net", outputs);
    const header = JSON.parse(body.toString("utf8", 0, headerLength));
    expect(header.outputs.map((output: { parameters: unknown }) => output.parameters)).toEqual([
      { binary_data_size: 4 + 3 + 4 + 5 },
      { binary_data_size: 16 },
    ]);
    const tensors = body.subarray(headerLength);
    const label = { name: "label", shape: [2], datatype: "BYTES", raw: tensors.subarray(0, 16), data: undefined };
    expect(bytesElements(label).map(String)).toEqual(["cat", "Löwe"]);
    const raw = tensors.subarray(16);
    expect(floatElements({ ...label, shape: [2, 2], raw })).toEqual(outputs[1]?.data);
  });

  it("has only the outputs that are named, each in the form that its name asks for", () => {
    const asked = request({
      parameters: { binary_data_output: true },
      outputs: [{ name: "probabilities", parameters: { binary_data: false } }],
    });
    const { body, headerLength } = encodeInferenceResponse(asked, "net", outputs);
    expect(headerLength).toBeUndefined();
    expect(JSON.parse(String(body)).outputs).toEqual([
      { name: "probabilities", shape: [2, 2], datatype: "FP32", data: [0.25, 0.75, 1, 0] },
    ]);
  });
});
