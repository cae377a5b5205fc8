import type { Journal } from "@offloadlab/records";
import { seconds } from "@offloadlab/units";
import type { Board, TrialBoard } from "./board.ts";
import type { Clock } from "./clock.ts";

/** Asking the radio and the clock starts two programs: often enough to see throttling, seldom enough to cost nothing. */
const stateSeconds = 5;

/** Writes a board's state into the journal while a trial runs, and at its end where its energy went. */
export const journalBoard = async (
  board: Board,
  trialBoard: TrialBoard,
  trial: number,
  clock: Clock,
  journal: Journal,
  run: () => Promise<void>,
): Promise<void> => {
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const state = await board.state();
      if (state === null) return;
      journal.write({ kind: "board", trial, ...state });
      await clock.sleep(seconds(stateSeconds), over.signal).catch(() => undefined);
    }
  };
  const watching = watch();
  try {
    await run();
  } finally {
    over.abort();
    await watching;
  }
  const account = await trialBoard.account();
  if (account === null) return;
  const { total, tasks, idle, coverage, failedReadings } = account;
  const amounts = { totalJoules: total, tasksJoules: tasks, idleJoules: idle };
  journal.write({ kind: "energy", trial, ...amounts, coverageRatio: coverage, failedReadings });
};
