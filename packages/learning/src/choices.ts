/**
 * What a head of a discrete learner chooses from: the numbers of an action that each choice stands for, each choice as
 * many.
 *
 * An action of a row is [numbers of a choice, heads], row-major: a device's [α, w, β] for one head, a community's α of all
 * devices, then w, then β, for a head of each device.
 */
export type Choices = readonly (readonly number[])[];

/**
 * A device's choices: local, or the edge with one of some levels of what it asks for, w and β alike.
 *
 * @param levels how many, at least 1: in the middle of as many equal parts of the asking scale, 1/6, 1/2 and 5/6 of three.
 * 1 splits all evenly over the tasks that share.
 */
export const offloadingChoices = (levels: number): Choices => {
  if (!(Number.isSafeInteger(levels) && levels >= 1)) throw new RangeError(`Expected at least 1 level, got ${levels}`);
  const edge = Array.from({ length: levels }, (_, level) => (2 * level + 1) / levels - 1);
  return [[-1, -1, -1], ...edge.map((share) => [1, share, share])];
};

/** Writes what a head has chosen into a row's action. @param row [numbers, heads] */
export const writeChoice = (choice: readonly number[], head: number, heads: number, row: Float32Array): void => {
  for (const [number, value] of choice.entries()) row[number * heads + head] = value;
};

/** The choice whose numbers are the nearest to those of a head in a row's action. @param row [numbers, heads] */
export const nearestChoice = (choices: Choices, row: Float32Array, head: number, heads: number): number => {
  let nearest = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const [index, choice] of choices.entries()) {
    const distance = choice.reduce((sum, value, i) => sum + (value - (row[i * heads + head] as number)) ** 2, 0);
    if (distance < least) {
      least = distance;
      nearest = index;
    }
  }
  return nearest;
};

/** The place of the largest of some values, from their first; the first one of equals. */
export const indexOfLargest = (values: Float32Array, start: number, count: number): number => {
  let index = 0;
  for (let i = 1; i < count; i++) if ((values[start + i] as number) > (values[start + index] as number)) index = i;
  return index;
};
