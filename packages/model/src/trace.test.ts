import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deviceArrivals, type Trace } from "./trace.ts";
import { readTrace, TraceReader } from "./trace-reader.ts";

const header = "time,user,server";
const located = "time,user,server,lat,lon";

/** @throws RangeError when the lines are no trace */
const traceOf = (...lines: string[]): Trace => {
  const trace = readTrace(lines, "trace.csv");
  if ("problems" in trace) throw new RangeError(trace.problems.join("\n"));
  return trace;
};
const problemsIn = (...lines: string[]): readonly string[] => {
  const trace = readTrace(lines, "trace.csv");
  return "problems" in trace ? trace.problems : [];
};

/** [server, [user, times]...] of every server. */
const plain = (trace: Trace) =>
  trace.servers.map(({ id, users }) => [id, ...users.map((user) => [user.id, [...user.times]])]);
/** Times of a trace with one user of one server. */
const timesOf = (...times: string[]) => [
  ...(traceOf(header, ...times.map((time) => `${time},u,s`)).servers[0]?.users[0]?.times ?? []),
];

it("orders servers and their users by requests, then by id, and times from the first request", () => {
  const trace = traceOf(header, "20,b,y", "10,a,x", "15.5,c,y", "12,c,y", "11,d,z", "30,a,z", "12,b,x");
  expect(plain(trace)).toEqual([
    ["y", ["c", [2, 5.5]], ["b", [10]]],
    ["x", ["a", [0]], ["b", [2]]],
    ["z", ["a", [20]], ["d", [1]]],
  ]);
  expect(trace.servers.map(({ requestCount }) => requestCount)).toEqual([3, 2, 2]);
  expect([trace.duration, trace.file]).toEqual([20, "trace.csv"]);
});

interface Request {
  readonly time: number;
  readonly user: string;
  readonly server: string;
}

const id = fc.oneof(
  fc.constantFrom("a", "b", "ab"),
  fc.string({ minLength: 1, unit: fc.constantFrom("x", ",", '"', " ", "é", "__proto__") }),
);
const request = fc.record({ time: fc.double({ min: -1e10, max: 1e10, noNaN: true }), user: id, server: id });

/** What a trace of these requests is, by way of objects. */
const grouped = (requests: readonly Request[]) => {
  const first = Math.min(...requests.map(({ time }) => time));
  const byCountThenId = (a: { id: string; size: number }, b: { id: string; size: number }) =>
    b.size - a.size || (a.id < b.id ? -1 : 1);
  const groups = (key: "user" | "server", of: readonly Request[]) =>
    [...new Set(of.map((one) => one[key]))]
      .map((id) => ({ id, of: of.filter((one) => one[key] === id) }))
      .map((group) => ({ ...group, size: group.of.length }))
      .sort(byCountThenId);
  return groups("server", requests).map((server) => [
    server.id,
    ...groups("user", server.of).map((user) => [
      user.id,
      user.of.map(({ time }) => time - first).sort((a, b) => a - b),
    ]),
  ]);
};

it("any requests survive the file, whatever their ids, order and line ends", () => {
  const quoted = (field: string, always: boolean) =>
    always || /[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
  fc.assert(
    fc.property(
      fc.array(request, { minLength: 1, maxLength: 60 }),
      fc.record({ quotes: fc.boolean(), places: fc.boolean(), mark: fc.boolean(), returns: fc.boolean() }),
      (requests, { quotes, places, mark, returns }) => {
        const lines = [
          `${mark ? "\uFEFF" : ""}${places ? located : header}`,
          ...requests.map(({ time, user, server }) =>
            [String(time), user, server, ...(places ? ["-90", "179.5"] : [])]
              .map((field) => quoted(field, quotes))
              .join(","),
          ),
          "",
        ].map((line) => (returns ? `${line}\r` : line));
        expect(plain(traceOf(...lines))).toEqual(grouped(requests));
      },
    ),
  );
});

it("keeps more requests than its arrays start with", () => {
  const reader = new TraceReader("trace.csv");
  reader.add(header);
  for (let i = 0; i < 5000; i++) reader.add(`${5000 - i},user ${i % 3},server ${i % 2}`);
  const trace = reader.end() as Trace;
  expect(trace.servers.map(({ requestCount }) => requestCount)).toEqual([2500, 2500]);
  expect(trace.duration).toBe(4999);
});

describe("times", () => {
  it.each([
    [
      ["0", "+1", "-2.5", ".5", "3.", "1e2"],
      [0, 2.5, 3, 3.5, 5.5, 102.5],
    ],
    [
      ["2023-06-19T08:30:00Z", "2023-06-19T08:30:01.25Z"],
      [0, 1.25],
    ],
    [
      ["2023-06-19T08:30Z", "2023-06-19 08:30:01", "2023-06-19T08:30:02"],
      [0, 1, 2],
    ],
    [
      ["2023-06-19T08:30:00+08:00", "2023-06-19T00:30:01Z", "2023-06-18T20:00:02-0430"],
      [0, 1, 2],
    ],
    [
      ["1999-12-31T23:59:59Z", "2000-02-29T00:00:00Z", "2000-03-01T00:00:00+00"],
      [0, 5_097_601, 5_184_001],
    ],
  ])("%j are seconds from the first", (times, expected) => {
    expect(timesOf(...times)).toEqual(expected);
  });

  it("date-times follow the calendar, from year 1 on", () => {
    const year = fc.integer({ min: 1, max: 9999 });
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), year, (date, fullYear) => {
        date.setUTCFullYear(fullYear);
        const [, time] = timesOf("0001-01-01T00:00:00Z", date.toISOString());
        expect(time).toBeCloseTo(62_135_596_800 + date.getTime() / 1000, 4);
      }),
    );
  });
});

describe("says where and what is wrong with", () => {
  const headerExpected = "expected the header time,user,server or time,user,server,lat,lon, got";
  const anyTime = "expected seconds below 1e11 or an ISO 8601 date-time, got";
  const quotes = 'expected quotes around all of it, "" for one inside, got';

  it.each([
    ["no file at all", [], `1:1: ${headerExpected} the end of the file`],
    ["an empty header", ["", "1,u,s"], `1:1: ${headerExpected} ""`],
    ["no header", ["1,u,s"], `1:1: ${headerExpected} "1"`],
    ["another header", ["time,user,host"], `1:11: ${headerExpected} "host"`],
    ["a short header", ["time,user"], `1:10: ${headerExpected} the end of the line`],
    ["half a place", [`${header},lat`], `1:21: ${headerExpected} the end of the line`],
    ["a long header", [`${located},city`], `1:26: ${headerExpected} "city"`],
    ["a header with a stray quote", ['time,"user,server'], `1:6: ${headerExpected} "\\"user,server"`],
    ["a header alone", [header], "2:1: expected a request, got the end of the file"],
    ["a header and blank lines", [header, "", ""], "2:1: expected a request, got the end of the file"],
    ["a time in words", [header, "noon,u,s"], `2:1: ${anyTime} "noon"`],
    ["no time", [header, ",u,s"], `2:1: ${anyTime} ""`],
    ["a time with a space", [header, " 1,u,s"], `2:1: ${anyTime} " 1"`],
    ["a hexadecimal time", [header, "0x10,u,s"], `2:1: ${anyTime} "0x10"`],
    ["an infinite time", [header, "1e999,u,s"], `2:1: ${anyTime} "1e999"`],
    ["milliseconds", [header, "1687134600000,u,s"], `2:1: ${anyTime} "1687134600000"`],
    ["a date", [header, "2023-06-19,u,s"], `2:1: ${anyTime} "2023-06-19"`],
    ["a 29 February", [header, "1900-02-29T00:00:00Z,u,s"], `2:1: ${anyTime} "1900-02-29T00:00:00Z"`],
    ["a month 13", [header, "2023-13-01T00:00:00Z,u,s"], `2:1: ${anyTime} "2023-13-01T00:00:00Z"`],
    ["a month 0", [header, "2023-00-01T00:00:00Z,u,s"], `2:1: ${anyTime} "2023-00-01T00:00:00Z"`],
    ["a day 0", [header, "2023-01-00T00:00:00Z,u,s"], `2:1: ${anyTime} "2023-01-00T00:00:00Z"`],
    ["an hour 24", [header, "2023-01-01T24:00:00Z,u,s"], `2:1: ${anyTime} "2023-01-01T24:00:00Z"`],
    ["a minute 60", [header, "2023-01-01T00:60:00Z,u,s"], `2:1: ${anyTime} "2023-01-01T00:60:00Z"`],
    ["a second 60", [header, "2023-01-01T00:00:60Z,u,s"], `2:1: ${anyTime} "2023-01-01T00:00:60Z"`],
    ["an offset of a day", [header, "2023-01-01T00:00:00+24:00,u,s"], `2:1: ${anyTime} "2023-01-01T00:00:00+24:00"`],
    [
      "a date-time after seconds",
      [header, "1,u,s", "2023-06-19T08:30:00Z,u,s"],
      '3:1: expected seconds below 1e11, as before, got "2023-06-19T08:30:00Z"',
    ],
    [
      "seconds after a date-time",
      [header, "2023-06-19T08:30:00Z,u,s", "1,u,s"],
      '3:1: expected an ISO 8601 date-time, as before, got "1"',
    ],
    ["no user", [header, "1,,s"], '2:3: expected a user, got ""'],
    ["no server", [header, '1,u,""'], '2:5: expected a server, got "\\"\\""'],
    ["a missing server", [header, "1,u"], "2:4: expected a server, got the end of the line"],
    ["a missing user", [header, "1.5"], "2:4: expected a user, got the end of the line"],
    ["a missing longitude", [located, "1,u,s,45"], "2:9: expected degrees from -180 to 180, got the end of the line"],
    ["a field too many", [header, "1,u,s,45"], '2:7: expected the end of the line, got "45"'],
    ["a comma too many", [header, "1,u,s,"], '2:7: expected the end of the line, got ""'],
    ["a latitude beyond a pole", [located, "1,u,s,90.1,0"], '2:7: expected degrees from -90 to 90, got "90.1"'],
    ["a longitude beyond a turn", [located, "1,u,s,0,-181"], '2:9: expected degrees from -180 to 180, got "-181"'],
    ["an empty latitude", [located, "1,u,s,,0"], '2:7: expected degrees from -90 to 90, got ""'],
    ["an open quote", [header, '1,"u,s'], `2:3: ${quotes} "\\"u,s"`],
    ["text after a quote", [header, '1,u,"s"1'], `2:5: ${quotes} "\\"s\\"1"`],
    ["a quote inside", [header, '1,u"u",s'], `2:3: ${quotes} "u\\"u\\""`],
    ["a quote in a time", [header, '"1,u,s'], `2:1: ${quotes} "\\"1,u,s"`],
    ["a field after quoted ones", [header, '1,"u,""1""",s,2'], '2:15: expected the end of the line, got "2"'],
    ["a blank line inside", [header, "1,u,s", "", "2,u,s"], "3:1: expected a request, got an empty line"],
    [
      "a place in a row after a byte order mark",
      [`\uFEFF${located}\r`, "1,u,s,x,0\r"],
      '2:7: expected degrees from -90 to 90, got "x"',
    ],
    ["a long field", [header, `${"9".repeat(70)},u,s`], `2:1: ${anyTime} "${"9".repeat(57)}..."`],
  ])("%s", (_what, lines, problem) => {
    expect(problemsIn(...lines)).toEqual([`trace.csv:${problem}`]);
  });

  it("every row, each at its first wrong field, for any position of it", () => {
    const rows = fc.array(fc.boolean(), { minLength: 1, maxLength: 15 });
    fc.assert(
      fc.property(rows, fc.nat(20), (good, idLength) => {
        const user = `u${"x".repeat(idLength)}`;
        const lines = good.map((isGood, i) => (isGood ? `${i},${user},s` : `${i},${user},`));
        const expected = good.flatMap((isGood, i) =>
          isGood ? [] : [`trace.csv:${i + 2}:${String(i).length + user.length + 3}: expected a server, got ""`],
        );
        expect(problemsIn(header, ...lines)).toEqual(expected);
      }),
    );
  });

  it("the first twenty rows, and how many more there are", () => {
    const wrong = Array.from({ length: 23 }, () => "1,u");
    expect(problemsIn(header, ...wrong.slice(3))).toHaveLength(20);
    const problems = problemsIn(header, ...wrong);
    expect(problems).toHaveLength(21);
    expect(problems[19]).toBe("trace.csv:21:4: expected a server, got the end of the line");
    expect(problems[20]).toBe("trace.csv: 3 more");
  });
});

describe("devices replay", () => {
  const trace = traceOf(header, "0,a,x", "10,a,x", "30,a,x", "40,b,x", "5,c,y", "6,c,y", "7,d,y");

  it("the busiest users of the busiest servers, faster", () => {
    expect(deviceArrivals(trace, [2, 1], 10)).toEqual([[[0, 1, 3], [4]], [[0.5, 0.6]]]);
    expect(deviceArrivals(trace, [1], 0.5)).toEqual([[[0, 20, 60]]]);
    expect(deviceArrivals(trace, [], 1)).toEqual([]);
  });

  it("nothing when there are too few servers or users, and says what to do", () => {
    expect(deviceArrivals(trace, [1, 1, 1], 1)).toEqual({
      problem:
        "trace.csv: expected at least 3 servers, one per community, got 2: use fewer communities or another trace",
    });
    expect(deviceArrivals(trace, [1, 13], 1)).toEqual({
      problem:
        'trace.csv: server "y" of community 2: expected at least 13 users, one per device, got 2: ' +
        "give the community at most 2 devices or use another trace",
    });
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("no trace %d times as fast", (compression) => {
    expect(() => deviceArrivals(trace, [1], compression)).toThrow(RangeError);
  });
});
