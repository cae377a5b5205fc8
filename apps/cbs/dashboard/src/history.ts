import type { LiveCommunity, LiveSnapshot } from "@offloadlab/protocol";

/** One moment of a community; null where the line must break. */
export interface Moment {
  readonly reward: number | null;
  readonly chargeMean: number | null;
  readonly chargeLowest: number | null;
  readonly chargeHighest: number | null;
}

/** What the charts draw: one trial, as far as this page has seen it. */
export interface History {
  /** Run, trial and communities: a change starts over. */
  readonly key: string;
  readonly communities: readonly string[];
  /** Lab time of each moment, ascending. */
  readonly seconds: readonly number[];
  /** [community][moment] */
  readonly moments: readonly (readonly Moment[])[];
}

export const noHistory: History = { key: "", communities: [], seconds: [], moments: [] };

/** Above this every second moment is dropped; a chart has fewer pixels. */
const mostMoments = 2400;
/** Real time without a snapshot after which a line would be a guess. */
const gapSeconds = 4;
const gap: Moment = { reward: null, chargeMean: null, chargeLowest: null, chargeHighest: null };

/** The history with one more snapshot. */
export const remember = (history: History, { run, communities }: LiveSnapshot): History => {
  if (!run || run.trial < 1 || communities.length === 0) return noHistory;
  const names = communities.map(({ name }) => name);
  const key = JSON.stringify([run.id, run.trial, ...names]);
  const moments = communities.map(momentOf);
  const last = history.seconds.at(-1);
  if (history.key !== key || last === undefined || run.trialSeconds < last)
    return { key, communities: names, seconds: [run.trialSeconds], moments: moments.map((moment) => [moment]) };
  if (run.trialSeconds === last) return replaceLast(history, moments);
  const broken = run.trialSeconds - last > gapSeconds * run.clockSpeed;
  const before = broken
    ? append(
        history,
        (last + run.trialSeconds) / 2,
        names.map(() => gap),
      )
    : history;
  return thin(append(before, run.trialSeconds, moments));
};

const momentOf = ({ reward, devices }: LiveCommunity): Moment => {
  const charges = devices.map(({ chargeJoules }) => chargeJoules);
  if (charges.length === 0) return { ...gap, reward };
  return {
    reward,
    chargeMean: charges.reduce((sum, charge) => sum + charge, 0) / charges.length,
    chargeLowest: Math.min(...charges),
    chargeHighest: Math.max(...charges),
  };
};

const append = (history: History, seconds: number, moments: readonly Moment[]): History => ({
  ...history,
  seconds: [...history.seconds, seconds],
  moments: history.moments.map((series, index) => [...series, moments[index] ?? gap]),
});

const replaceLast = (history: History, moments: readonly Moment[]): History => ({
  ...history,
  moments: history.moments.map((series, index) => [...series.slice(0, -1), moments[index] ?? gap]),
});

const thin = (history: History): History => {
  if (history.seconds.length <= mostMoments) return history;
  const last = history.seconds.length - 1;
  const keep = (_: unknown, index: number): boolean => index === 0 || (last - index) % 2 === 0;
  return { ...history, seconds: history.seconds.filter(keep), moments: history.moments.map((s) => s.filter(keep)) };
};
