import { readFile } from "node:fs/promises";
import { Failure, messageOf } from "@offloadlab/protocol";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import type { TLocalizedValidationError } from "typebox/error";
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";

const name = Type.String({ minLength: 1 });
const side = Type.Integer({ minimum: 1, maximum: 4096 });
const closed = { additionalProperties: false };

const CardFile = Type.Object(
  {
    name,
    input: Type.Object(
      {
        name,
        width_pixels: side,
        height_pixels: side,
        layout: Type.Union([Type.Literal("nchw"), Type.Literal("nhwc")]),
        scale: Type.Number({ exclusiveMinimum: 0 }),
        mean: Type.Array(Type.Number(), { minItems: 3, maxItems: 3 }),
        std: Type.Array(Type.Number({ exclusiveMinimum: 0 }), { minItems: 3, maxItems: 3 }),
      },
      closed,
    ),
    output: Type.Object({ name, kind: Type.Union([Type.Literal("logits"), Type.Literal("probabilities")]) }, closed),
    labels: Type.Array(name, { minItems: 2, uniqueItems: true }),
  },
  closed,
);
const validator = Compile(CardFile);

/**
 * What must be known of a model to feed it images and read its answers: the YAML file beside the ONNX file.
 *
 * A channel of a pixel, 0 to 255, enters the model as (value · scale - mean) / std.
 */
export interface Card {
  readonly name: string;
  readonly input: {
    readonly name: string;
    /** In pixels. */
    readonly width: number;
    readonly height: number;
    /** Order of the tensor after the batch of 1: channels first, or channels last. */
    readonly layout: "nchw" | "nhwc";
    readonly scale: number;
    /** Of red, green and blue. */
    readonly mean: readonly number[];
    readonly std: readonly number[];
  };
  /** Logits still need the softmax. */
  readonly output: { readonly name: string; readonly kind: "logits" | "probabilities" };
  /** In the order of the outputs. */
  readonly labels: readonly string[];
}

/**
 * Reads a model's card.
 *
 * @throws Failure `classifier/unloadable` when there is no such file, `config/invalid` with line and column when it is off
 */
export const readCard = async (file: string): Promise<Card> => {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    const advice = "a model needs a card beside it, the same name with .yaml";
    throw new Failure("classifier/unloadable", `${file}: ${advice}, ${messageOf(error)}`, { cause: error });
  });
  return parseCard(text, file);
};

const parseCard = (text: string, file: string): Card => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const invalid = (offset: number, message: string): Failure => {
    const { line, col } = lines.linePos(offset);
    return new Failure("config/invalid", `${file}:${line}:${col}: ${message}`);
  };
  const [syntax] = document.errors;
  if (syntax !== undefined) throw invalid(syntax.pos[0], `expected YAML, ${syntax.message}`);
  const value: unknown = document.toJS();
  if (!validator.Check(value)) {
    const { path, message } = problemOf(validator.Errors(value), value);
    throw invalid(offsetOf(document, path), message);
  }
  return cardOf(value);
};

/** The first problem; an unknown key before others, since it is often a misspelt one that is missing too. */
const problemOf = (
  errors: readonly TLocalizedValidationError[],
  value: unknown,
): { path: string[]; message: string } => {
  const error = errors.find(({ keyword }) => keyword === "boolean") ?? errors[0];
  const pointer = error?.instancePath ?? "";
  const path = pointer.split("/").slice(1);
  const where = path.length === 0 ? "the card" : `\`${path.join(".")}\``;
  if (error?.keyword === "boolean") return { path, message: `${where} is no key of a card, expected none` };
  if (error?.keyword === "required") {
    const missing = error.params.requiredProperties.map((key) => `\`${key}\``).join(", ");
    return { path, message: `${where} must have ${missing}, got nothing` };
  }
  const choices = errors.flatMap((e) =>
    e.keyword === "const" && e.instancePath === pointer ? [String(e.params.allowedValue)] : [],
  );
  const rule = choices.length > 0 ? `must be ${choices.join(" or ")}` : error?.message;
  const got = path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], value);
  return { path, message: `${where} ${rule}, got ${JSON.stringify(got)}` };
};

/** Where the key of a value stands, or the value itself when it is in a list. */
const offsetOf = (document: Document, path: readonly string[]): number => {
  const parent: unknown = path.length < 2 ? document.contents : document.getIn(path.slice(0, -1), true);
  const key = isMap(parent)
    ? parent.items.find((pair) => isScalar(pair.key) && pair.key.value === path.at(-1))?.key
    : undefined;
  const node = key ?? document.getIn(path, true);
  return (isNode(node) ? node.range?.[0] : undefined) ?? 0;
};

const cardOf = ({ name: title, input, output, labels }: Static<typeof CardFile>): Card => {
  const { width_pixels: width, height_pixels: height, name: inputName, layout, scale, mean, std } = input;
  return { name: title, input: { name: inputName, width, height, layout, scale, mean, std }, output, labels };
};
