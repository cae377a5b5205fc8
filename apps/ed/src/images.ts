import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImageSet } from "@offloadlab/classifier";
import type { Task } from "@offloadlab/model";

/** The bytes of one image of a set. */
export const readImage = (set: ImageSet, index: number): Promise<Buffer> => {
  const image = set.images[index];
  if (image === undefined) throw new RangeError(`Expected an image below ${set.images.length}, got ${index}`);
  return readFile(join(set.folder, image.file));
};

/** Images of the tasks in the queue: read when a task arrives, so that its start does not wait for a disk. */
export class QueuedImages {
  readonly #images: ImageSet;
  readonly #read = new Map<string, Promise<Buffer>>();

  constructor(images: ImageSet) {
    this.#images = images;
  }

  fetch({ id, image }: Task): void {
    const reading = readImage(this.#images, image);
    // Whoever takes it hears of a failure; a task that expires never asks.
    reading.catch(() => undefined);
    this.#read.set(id, reading);
  }

  /** Hands an image over. @throws Failure when it could not be read */
  async take({ id, image }: Task): Promise<Buffer> {
    const reading = this.#read.get(id);
    this.#read.delete(id);
    return reading ?? readImage(this.#images, image);
  }

  drop({ id }: Task): void {
    this.#read.delete(id);
  }
}
