import {
  type Action,
  decodeAction,
  emptyAction,
  type Observation,
  place,
  placement,
  type RandomStream,
  shareLeft,
} from "@offloadlab/model";

/** Decodes what an untrained network with a tanh layer might say. */
export const decodedAction = (observation: Observation, random: RandomStream): Action => {
  const action = emptyAction(observation.deviceCount);
  const raw = Float64Array.from({ length: 3 * observation.deviceCount }, () => random.uniform(-1, 1));
  decodeAction(raw, observation, action);
  return action;
};

/**
 * Any placements, of devices without a task and of busy lanes too, with shares that fit: those of the tasks at the edge are
 * parts of what is left, and do not always use it up.
 */
export const placedAction = (observation: Observation, random: RandomStream): Action => {
  const n = observation.deviceCount;
  const action = emptyAction(n);
  const bandwidth = partsOf(shareLeft(observation.bandwidthInUse) * usedPart(random), n, random);
  const compute = partsOf(shareLeft(observation.computeInUse) * usedPart(random), n, random);
  for (let device = 0; device < n; device++) {
    const where = random.integer(3) as 0 | 1 | 2;
    const shares = [bandwidth[device] as number, compute[device] as number] as const;
    if (where === placement.local) place(action, device, placement.local, 0, 0);
    else if (where === placement.edge && shares.every((share) => share > 0)) place(action, device, where, ...shares);
  }
  return action;
};

/** All, or a part. */
const usedPart = (random: RandomStream): number => (random.integer(2) === 0 ? 1 : random.uniform());

const partsOf = (whole: number, partCount: number, random: RandomStream): number[] => {
  const weights = Array.from({ length: partCount }, () => random.uniform(0.1, 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => (whole * weight) / total);
};

/** Every number of an observation. */
export const observationNumbers = (observation: Observation): number[] =>
  Object.values(observation).flatMap((value: number | ArrayLike<number>) =>
    typeof value === "number" ? [value] : Array.from(value),
  );

/** Every number of an action. */
export const actionNumbers = ({ placement: places, bandwidthShare, computeShare }: Action): number[] => [
  ...places,
  ...bandwidthShare,
  ...computeShare,
];
