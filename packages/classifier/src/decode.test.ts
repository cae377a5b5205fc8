import fc from "fast-check";
import sharp from "sharp";
import { expect, test } from "vitest";
import type { Card } from "./card.ts";
import { decodeImage } from "./decode.ts";

const card = (input: Partial<Card["input"]> = {}): Card => ({
  name: "test",
  input: { name: "image", width: 4, height: 4, layout: "nchw", scale: 1, mean: [0, 0, 0], std: [1, 1, 1], ...input },
  output: { name: "scores", kind: "logits" },
  labels: ["a", "b"],
});

const colour = { r: 200, g: 100, b: 40 };
const plain = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: colour } });

/** The values of one channel of a tensor in either layout. */
const channelOf = (tensor: Float32Array, channel: number, layout: "nchw" | "nhwc"): number[] =>
  [...tensor].filter((_, i) => (layout === "nchw" ? Math.floor(i / (tensor.length / 3)) : i % 3) === channel);

test.each(["nchw", "nhwc"] as const)("PNG and JPEG become %s tensors of scaled colours", async (layout) => {
  const normalised = card({ layout, scale: 1 / 255, mean: [0.5, 0.25, 0], std: [0.5, 0.25, 2] });
  for (const image of [await plain(20, 20).png().toBuffer(), await plain(20, 20).jpeg({ quality: 100 }).toBuffer()]) {
    const tensor = await decodeImage(image, normalised);
    expect(tensor.length).toBe(48);
    for (const [channel, expected] of [(200 / 255 - 0.5) / 0.5, (100 / 255 - 0.25) / 0.25, 40 / 255 / 2].entries()) {
      for (const value of channelOf(tensor, channel, layout)) expect(Math.abs(value - expected)).toBeLessThan(0.03);
    }
  }
});

test("the middle of a wide image is kept, upright", async () => {
  const pixels = Uint8Array.from({ length: 12 * 4 * 3 }, (_, i) => Math.floor(i / 3) % 12);
  const image = await sharp(pixels, { raw: { width: 12, height: 4, channels: 3 } })
    .png()
    .toBuffer();
  expect([...(await decodeImage(image, card())).slice(0, 4)]).toEqual([4, 5, 6, 7]);
});

test("grey, transparent and 16-bit images have three channels of 8 bits too", async () => {
  const images = [
    plain(8, 8).grayscale().png(),
    sharp({ create: { width: 8, height: 8, channels: 4, background: { ...colour, alpha: 0.5 } } }).png(),
    plain(8, 8).toColourspace("rgb16").png(),
    plain(8, 8).toColourspace("cmyk").jpeg(),
  ];
  for (const image of images) {
    const tensor = await decodeImage(await image.toBuffer(), card());
    expect(tensor.length).toBe(48);
    expect(Math.max(...tensor)).toBeLessThanOrEqual(255);
    expect(Math.max(...tensor)).toBeGreaterThan(50);
  }
});

test("what is no JPEG or PNG is unreadable", async () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  const gif = await plain(8, 8).gif().toBuffer();
  for (const bytes of [new Uint8Array(0), svg, gif]) {
    await expect(decodeImage(bytes, card())).rejects.toMatchObject({ code: "image/unreadable" });
  }
});

test("an image that is cut short is unreadable", async () => {
  for (const image of [await plain(400, 400).jpeg().toBuffer(), await plain(400, 400).png().toBuffer()]) {
    const half = image.subarray(0, image.length / 2);
    await expect(decodeImage(half, card())).rejects.toMatchObject({ code: "image/unreadable" });
  }
});

test("a decompression bomb is refused before it is decoded", async () => {
  const bomb = await plain(16, 16).jpeg().toBuffer();
  // The frame header: marker, length, precision, then height and width (ITU-T T.81, B.2.2).
  const header = bomb.indexOf(Buffer.of(0xff, 0xc0));
  bomb.writeUInt16BE(10_001, header + 5);
  bomb.writeUInt16BE(10_000, header + 7);
  await expect(decodeImage(bomb, card())).rejects.toMatchObject({
    code: "image/unreadable",
    message: expect.stringContaining("100 megapixels"),
  });
});

test("noise is an image or a failure, nothing else", async () => {
  const image = await plain(30, 30).jpeg().toBuffer();
  const damaged = fc.array(fc.record({ at: fc.nat(image.length - 1), byte: fc.nat(255) }), {
    minLength: 1,
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(damaged, async (damages) => {
      const bytes = Uint8Array.from(image);
      for (const { at, byte } of damages) bytes[at] = byte;
      const result = await decodeImage(bytes, card()).catch((error: unknown) => error);
      if (result instanceof Float32Array) expect(result.length).toBe(48);
      else expect(result).toMatchObject({ code: "image/unreadable" });
    }),
  );
});
