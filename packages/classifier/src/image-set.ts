import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Failure, messageOf, readerOf } from "@offloadlab/protocol";
import { type Bytes, bytes } from "@offloadlab/units";
import { type Static, Type } from "typebox";
import { decodePixels } from "./decode.ts";

/** An upload is at most 16 MiB: the image and less than 1 KiB that says what it is. */
const largestBytes = 2 ** 24 - 2 ** 10;
/** What every image of a user is decoded to, only to see that it can be. */
const thumbnail = { width: 32, height: 32 };
/** How many of a user's images are read at a time. */
const readers = 4;

/** The images that tasks ask to classify. */
export interface ImageSet {
  readonly folder: string;
  readonly images: readonly {
    /** Its name in the folder. */
    readonly file: string;
    readonly bytes: Bytes;
    /** Null when nobody has said it. */
    readonly label: string | null;
  }[];
}

const IndexFile = Type.Object({
  /** Raised whenever the same seed gives other images. */
  generator: Type.Literal(1),
  seed: Type.Integer(),
  images: Type.Array(
    Type.Object({
      file: Type.String({ pattern: "^[^/\\\\]+$" }),
      bytes: Type.Integer({ minimum: 1 }),
      label: Type.String(),
      sha256: Type.String(),
    }),
    { minItems: 1 },
  ),
});
/** What `images.json` says of the generated images beside it. */
export type ImageIndex = Static<typeof IndexFile>;
const checkIndex = readerOf(IndexFile, "config/invalid");

export const indexName = "images.json";

/**
 * Reads the index of a folder; undefined when there is none.
 *
 * @throws Failure `config/invalid` when it is no index
 */
export const readIndex = async (folder: string): Promise<ImageIndex | undefined> => {
  const file = join(folder, indexName);
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new Failure("config/invalid", `${file}: ${error.message}`, { cause: error });
  });
  if (text === undefined) return undefined;
  try {
    return checkIndex(JSON.parse(text), file);
  } catch (error) {
    const advice = "delete it to use the folder's images without labels, or generate the set again";
    throw new Failure("config/invalid", `${messageOf(error)} (${file}); ${advice}`, { cause: error });
  }
};

/** The set that an index describes. */
export const setOf = (folder: string, index: ImageIndex): ImageSet => ({
  folder,
  images: index.images.map(({ file, bytes: size, label }) => ({ file, bytes: bytes(size), label })),
});

/**
 * Reads a folder of images: a generated set, or anybody's own JPEG and PNG files in the order of their names.
 *
 * Own images are decoded once: one that fails in a trial would cost the trial.
 *
 * @throws Failure `config/invalid` when there is no image, or one cannot be read, is too large or is not what the index says
 */
export const readImageSet = async (folder: string): Promise<ImageSet> => {
  const index = await readIndex(folder);
  if (index === undefined) return readOwnImages(folder);
  for (const image of index.images) {
    const size = await sizeOf(join(folder, image.file));
    if (size !== image.bytes) {
      const where = `${join(folder, image.file)}: expected the ${image.bytes} bytes of ${indexName}, got ${size}`;
      throw new Failure("config/invalid", `${where}; generate the set again`);
    }
  }
  return setOf(folder, index);
};

const readOwnImages = async (folder: string): Promise<ImageSet> => {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new Failure("config/invalid", `${folder}: expected a folder of images, ${messageOf(error)}`, {
      cause: error,
    });
  });
  const files = names.filter((file) => /\.(jpe?g|png)$/i.test(file)).sort();
  if (files.length === 0) {
    const got = names.length === 0 ? "an empty folder" : `${names.length} other files`;
    throw new Failure("config/invalid", `${folder}: expected .jpg, .jpeg or .png files, got ${got}`);
  }
  const images: ImageSet["images"][number][] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < files.length; i = next++) {
      const file = files[i] as string;
      images[i] = { file, bytes: bytes(await checkedSize(join(folder, file))), label: null };
    }
  };
  await Promise.all(Array.from({ length: readers }, work));
  return { folder, images };
};

/** The size of an image that can be uploaded and decoded. */
const checkedSize = async (file: string): Promise<number> => {
  const size = await sizeOf(file);
  if (size > largestBytes)
    throw new Failure("config/invalid", `${file}: expected an image of at most ${largestBytes} bytes, got ${size}`);
  try {
    await decodePixels(await readFile(file), thumbnail);
  } catch (error) {
    throw new Failure("config/invalid", `${file}: ${messageOf(error)}`, { cause: error });
  }
  return size;
};

const sizeOf = async (file: string): Promise<number> => {
  const found = await stat(file).catch((error: unknown) => {
    throw new Failure("config/invalid", `${file}: expected an image, ${messageOf(error)}`, { cause: error });
  });
  if (!found.isFile()) throw new Failure("config/invalid", `${file}: expected an image, got something that is no file`);
  return found.size;
};
