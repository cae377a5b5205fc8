import { createRequire } from "node:module";
import { crc32 } from "node:zlib";
import { createCanvas, GlobalFonts, PDFDocument } from "canvas";
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { pointsPerInch } from "./page.ts";

/** A figure in its three formats; the same figure gives the same bytes. */
export interface RenderedFigure {
  /** Text is text, in a font that has the widths of Arial and Helvetica. */
  readonly svg: string;
  /** Vectors, with the glyphs that it uses embedded as TrueType. */
  readonly pdf: Uint8Array;
  /** 300 dots per inch. */
  readonly png: Uint8Array;
}

const dotsPerInch = 300;
const inchesPerMeter = 1 / 0.0254;

/** Draws a figure whose units are points, as large as it will be on paper. */
export const renderFigure = async (spec: TopLevelSpec): Promise<RenderedFigure> => {
  registerFonts();
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  try {
    await view.runAsync();
    const svg = await view.toSVG();
    const [width, height] = sizeOf(svg);
    return {
      svg: inPoints(svg, width, height),
      pdf: await pdfOf(view, width, height),
      png: await pngOf(view, width, height),
    };
  } finally {
    view.finalize();
  }
};

const pdfOf = async (view: View, width: number, height: number): Promise<Uint8Array> => {
  const document = new PDFDocument();
  const context = document.beginPage(width, height);
  await view.toCanvas(1, { externalContext: withoutDashedText(context) });
  document.endPage();
  return document.close();
};

const pngOf = async (view: View, width: number, height: number): Promise<Uint8Array> => {
  const scale = dotsPerInch / pointsPerInch;
  const canvas = createCanvas(Math.round(width * scale), Math.round(height * scale));
  await view.toCanvas(scale, { externalContext: canvas.getContext("2d") });
  return withResolution(canvas.toBuffer("image/png"), Math.round(dotsPerInch * inchesPerMeter));
};

/**
 * Vega leaves the dashes of the last line on the context. Skia would then embed text as a Type 3 font, which IEEE's
 * checks refuse.
 */
const withoutDashedText = <T extends Pick<CanvasRenderingContext2D, "fillText" | "setLineDash">>(context: T): T => {
  const fillText = context.fillText.bind(context);
  context.fillText = (...parameters) => {
    context.setLineDash([]);
    fillText(...parameters);
  };
  return context;
};

const sizeOf = (svg: string): [width: number, height: number] => {
  const [, width, height] = /^<svg [^>]*viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? [];
  return [Number(width), Number(height)];
};

/** An SVG without units is in pixels of 1/96 inch. */
const inPoints = (svg: string, width: number, height: number): string =>
  svg.replace(/ width="[^"]*" height="[^"]*"/, ` width="${width}pt" height="${height}pt"`);

/** Says in a PNG how large it is on paper (PNG specification, 11.3.5.3), right after its header of 33 bytes. */
const withResolution = (png: Buffer, dotsPerMeter: number): Uint8Array => {
  const chunk = Buffer.alloc(21);
  chunk.writeUInt32BE(9, 0);
  chunk.write("pHYs", 4, "latin1");
  chunk.writeUInt32BE(dotsPerMeter, 8);
  chunk.writeUInt32BE(dotsPerMeter, 12);
  chunk.writeUInt8(1, 16);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 17)), 17);
  return Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]);
};

/** The fonts of a machine differ; these come with the package, under the SIL Open Font License beside them. */
const registerFonts = (): void => {
  const require = createRequire(import.meta.url);
  const paths = [
    require.resolve("@expo-google-fonts/arimo/400Regular/Arimo_400Regular.ttf"),
    require.resolve("@expo-google-fonts/arimo/700Bold/Arimo_700Bold.ttf"),
  ];
  for (const path of paths) {
    if (GlobalFonts.registerFromPath(path) === null) throw new RangeError(`Expected a font, got ${path}`);
  }
};
