import { open, rename } from "node:fs/promises";
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBType,
  type DuckDBValue,
  INTEGER,
  VARCHAR,
} from "@duckdb/node-api";
import { type Outcome, outcomes } from "@offloadlab/model";
import { type AnswerCounts, fallbackReasons } from "@offloadlab/policies";
import type { EpochSums, LoopValue } from "./sweep-rows.ts";

interface Column {
  readonly name: string;
  readonly type: DuckDBType;
  readonly of: (sums: EpochSums) => DuckDBValue;
}

const loopPrefix = "loop_";
/** DuckDB's vectors have this many rows. */
const chunkRows = 2048;

/**
 * Writes a sweep's sums as one flat table, which DuckDB, pandas or Spark read by its snake_case columns; the loop
 * variables are the columns that begin with `loop_`. The same sums give the same bytes. The file is there whole or not
 * at all, and on the disk.
 */
export const writeParquet = async (path: string, sums: readonly EpochSums[]): Promise<void> => {
  const columns = columnsOf(sums);
  const temporary = `${path}.part`;
  await withDatabase(async (connection) => {
    const declarations = columns.map(({ name, type }) => `${identifier(name)} ${type} NOT NULL`);
    await connection.run(`CREATE TABLE sums (${declarations.join(", ")})`);
    const appender = await connection.createAppender("sums");
    for (let start = 0; start < sums.length; start += chunkRows) {
      const rows = sums.slice(start, start + chunkRows);
      const chunk = DuckDBDataChunk.create(columns.map(({ type }) => type));
      chunk.setColumns(columns.map(({ of }) => rows.map(of)));
      appender.appendDataChunk(chunk);
    }
    appender.closeSync();
    await connection.run(`COPY sums TO ${literal(temporary)} (FORMAT parquet, COMPRESSION zstd)`);
  });
  const file = await open(temporary, "r+");
  await file.sync();
  await file.close();
  await rename(temporary, path);
};

/** Reads what `writeParquet` wrote, in the same order. */
export const readParquet = (path: string): Promise<EpochSums[]> =>
  withDatabase(async (connection) => {
    const reader = await connection.runAndReadAll(`SELECT * FROM read_parquet(${literal(path)})`);
    const variables = reader.columnNames().filter((name) => name.startsWith(loopPrefix));
    return reader.getRowObjects().map((row) => {
      const number = (name: string): number => {
        const value = row[name];
        if (typeof value !== "number" && typeof value !== "bigint") {
          throw new RangeError(`Expected a number in column ${name}, got ${String(value)} (${path})`);
        }
        return Number(value);
      };
      return {
        trial: number("trial"),
        policy: String(row["policy"]),
        repetition: number("repetition"),
        variables: Object.fromEntries(variables.map((name) => [name.slice(loopPrefix.length), row[name] as LoopValue])),
        community: String(row["community"]),
        epoch: number("epoch"),
        seed: number("seed"),
        tasks: number("tasks"),
        outcomes: Object.fromEntries(outcomes.map((outcome) => [outcome, number(outcomeColumn(outcome))])) as Record<
          Outcome,
          number
        >,
        reward: number("reward"),
        energyJoules: number("energy_joules"),
        waitingSeconds: number("waiting_seconds"),
        ...(row["answers_asked"] === undefined || number("answers_asked") === 0 ? {} : { answers: answersIn(number) }),
      };
    });
  });

const answersIn = (number: (name: string) => number): AnswerCounts => ({
  asked: number("answers_asked"),
  adjusted: number("answers_adjusted"),
  fallbacks: Object.fromEntries(
    fallbackReasons.map((reason) => [reason, number(`fallbacks_${reason}`)]),
  ) as AnswerCounts["fallbacks"],
  firstProblem: undefined,
});

const columnsOf = (sums: readonly EpochSums[]): Column[] => [
  { name: "trial", type: INTEGER, of: ({ trial }) => trial },
  { name: "policy", type: VARCHAR, of: ({ policy }) => policy },
  { name: "repetition", type: INTEGER, of: ({ repetition }) => repetition },
  ...Object.keys(sums[0]?.variables ?? {}).map((variable) => loopColumn(variable, sums)),
  { name: "community", type: VARCHAR, of: ({ community }) => community },
  { name: "epoch", type: INTEGER, of: ({ epoch }) => epoch },
  { name: "seed", type: BIGINT, of: ({ seed }) => BigInt(seed) },
  { name: "tasks", type: INTEGER, of: ({ tasks }) => tasks },
  ...outcomes.map((outcome) => ({
    name: outcomeColumn(outcome),
    type: INTEGER,
    of: (sums: EpochSums) => sums.outcomes[outcome],
  })),
  { name: "reward", type: DOUBLE, of: ({ reward }) => reward },
  { name: "energy_joules", type: DOUBLE, of: ({ energyJoules }) => energyJoules },
  { name: "waiting_seconds", type: DOUBLE, of: ({ waitingSeconds }) => waitingSeconds },
  ...(sums.some(({ answers }) => answers !== undefined) ? answerColumns : []),
];

/** 0 for policies of ours. */
const answerColumns: readonly Column[] = [
  { name: "answers_asked", type: INTEGER, of: ({ answers }) => answers?.asked ?? 0 },
  { name: "answers_adjusted", type: INTEGER, of: ({ answers }) => answers?.adjusted ?? 0 },
  ...fallbackReasons.map((reason) => ({
    name: `fallbacks_${reason}`,
    type: INTEGER,
    of: ({ answers }: EpochSums) => answers?.fallbacks[reason] ?? 0,
  })),
];

/** `completed_local` for `completed-local`. */
const outcomeColumn = (outcome: Outcome): string => outcome.replaceAll("-", "_");

/** A column has one type, so all values of a variable must have it. */
const loopColumn = (variable: string, sums: readonly EpochSums[]): Column => {
  const kinds = [...new Set(sums.map(({ variables }) => typeof variables[variable]))];
  const type = kinds.length === 1 ? loopTypes[kinds[0] as string] : undefined;
  if (type === undefined) {
    throw new RangeError(`Expected values of one kind for the loop variable ${variable}, got ${kinds.join(" and ")}`);
  }
  return { name: `${loopPrefix}${variable}`, type, of: ({ variables }) => variables[variable] as LoopValue };
};

const loopTypes: Readonly<Record<string, DuckDBType>> = { number: DOUBLE, string: VARCHAR, boolean: BOOLEAN };

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** One thread keeps rows, and with them the file's bytes, in order. */
const withDatabase = async <T>(use: (connection: DuckDBConnection) => Promise<T>): Promise<T> => {
  const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
  const connection = await instance.connect();
  try {
    return await use(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
};
