/** How a trace writes times. */
export interface TimeFormat {
  /** Completes "expected ...". */
  readonly expected: string;
  /** Seconds, NaN when the field is something else. */
  read(field: string): number;
}

/** A decimal number, NaN for whatever else `Number` takes. */
export const decimal = (field: string): number =>
  /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(field) ? Number(field) : Number.NaN;

const decimalSeconds = (field: string): number => {
  const value = decimal(field);
  return Math.abs(value) < 1e11 ? value : Number.NaN;
};

const dateTime = /^(\d{4}-\d\d-\d\d)[T ](\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?(Z|[+-]\d\d(?::?\d\d)?)?$/;

/** Unix seconds of an ISO 8601 date-time. */
const dateTimeSeconds = (field: string): number => {
  const match = dateTime.exec(field);
  if (!match) return Number.NaN;
  const [, date = "", hour, minute, second = "0", offset = "Z"] = match;
  if (Number(second) >= 60) return Number.NaN;
  return daysTo(date) * 86_400 + hoursAndMinutes(hour, minute) + Number(second) - offsetSeconds(offset);
};

const hoursAndMinutes = (hour = "0", minute = "0"): number =>
  Number(hour) < 24 && Number(minute) < 60 ? Number(hour) * 3600 + Number(minute) * 60 : Number.NaN;

/** How far ahead of UTC `Z`, `+01:00`, `+0100` or `+01` is. */
const offsetSeconds = (offset: string): number => {
  if (offset === "Z") return 0;
  const size = hoursAndMinutes(offset.slice(1, 3), offset.slice(3).replace(":", ""));
  return offset.startsWith("-") ? -size : size;
};

/** Days from 1970-01-01 to `yyyy-mm-dd`, NaN when the Gregorian calendar has no such day. */
const daysTo = (date: string): number => {
  const year = Number(date.slice(0, 4));
  const month = Number(date.slice(5, 7));
  const day = Number(date.slice(8));
  const leapDay = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 1 : 0;
  const lengths = [31, 28 + leapDay, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  if (!(day >= 1 && day <= (lengths[month - 1] ?? 0))) return Number.NaN;
  const past = year - 1;
  let days = past * 365 + Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) + day;
  for (let i = 0; i < month - 1; i++) days += lengths[i] as number;
  // 0001-01-01 is day 1 and 1970-01-01 day 719,163.
  return days - 719_163;
};

export const timeFormats: readonly TimeFormat[] = [
  { expected: "seconds below 1e11", read: decimalSeconds },
  { expected: "an ISO 8601 date-time", read: dateTimeSeconds },
];
