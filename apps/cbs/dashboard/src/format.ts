/** What stands where there is no number. */
export const dash = "–";

/** A number with a true minus sign and no negative zero, so that columns line up. */
export const fixed = (value: number, decimals: number): string => {
  const text = value.toFixed(decimals);
  if (!text.startsWith("-")) return text;
  return Number(text) === 0 ? text.slice(1) : `−${text.slice(1)}`;
};

export const fixedOrDash = (value: number | null, decimals: number): string =>
  value === null || !Number.isFinite(value) ? dash : fixed(value, decimals);

/** A share of one as whole per cent; out-of-range shares stay visible as they are. */
export const percent = (ratio: number): string => (Number.isFinite(ratio) ? `${fixed(ratio * 100, 0)} %` : dash);

/** Decimals that show about three significant digits of the largest value of a column. */
export const decimalsFor = (values: readonly number[]): number => {
  const largest = Math.max(0, ...values.filter(Number.isFinite).map(Math.abs));
  if (largest >= 1000) return 0;
  if (largest >= 100) return 1;
  return largest >= 10 ? 2 : 3;
};

/** A duration in the two largest units: `8 s`, `3 min 05 s`, `1 h 12 min`. */
export const duration = (seconds: number): string => {
  if (!Number.isFinite(seconds)) return dash;
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  if (hours > 0) return `${hours} h ${twoDigits(minutes)} min`;
  return minutes > 0 ? `${minutes} min ${twoDigits(whole % 60)} s` : `${whole} s`;
};

/** An estimate of a duration, no finer than it can be meant: whole minutes from ten on. */
export const aboutDuration = (seconds: number): string =>
  seconds >= 600 && seconds < 3600 ? `${Math.round(seconds / 60)} min` : duration(seconds);

/** `1` as `real time`, anything else as a multiple of it. */
export const clockSpeed = (speed: number): string =>
  speed === 1 ? "clock at real time" : `clock ${Number(speed.toFixed(2))}× real time`;

/** Part of a whole as a share from 0 to 1; 0 when there is no whole. */
export const share = (part: number, whole: number): number =>
  whole > 0 && Number.isFinite(part) ? Math.min(1, Math.max(0, part / whole)) : 0;

const twoDigits = (value: number): string => String(value).padStart(2, "0");
