import type { JournalRecord, RunContents } from "@offloadlab/records";

type RecordOf<K extends JournalRecord["kind"]> = Extract<JournalRecord, { readonly kind: K }>;
export type RoundEnd = RecordOf<"round" | "round-skipped">;

/** When a round began to take updates. */
export const openingOf = (records: readonly JournalRecord[], round: number): RecordOf<"round-open"> | undefined =>
  records.find((record): record is RecordOf<"round-open"> => record.kind === "round-open" && record.round === round);

/** How rounds ended, in the order of time. */
export const roundEnds = (records: readonly JournalRecord[]): RoundEnd[] =>
  records.filter((record): record is RoundEnd => record.kind === "round" || record.kind === "round-skipped");

/** What a server reported for a round, and what it had learned since the last round with a result. */
export interface ReportedUpdates {
  readonly round: number;
  readonly node: string;
  readonly reported: number;
  readonly learned: number;
}

/**
 * The updates that servers reported beside those that their journals tell of, of a run with one policy and a round after each
 * trial of its schedule: only trials that count have taught anything, whoever was killed.
 */
export const reportedUpdates = ({ trials, scheduled, journals }: RunContents): ReportedUpdates[] => {
  const records = journals.get("cbs") ?? [];
  // Arrivals are a trial's own: they say which one of the schedule an attempt stands for.
  const placeOf = new Map(
    trials.map(({ number, seed }) => [number, scheduled.find((each) => each.seed === seed)?.number ?? 0]),
  );
  return records.flatMap((update) => {
    if (update.kind !== "update") return [];
    const { round, node } = update;
    const averaged = records.flatMap((each) => (each.kind === "round" && each.round < round ? [each.round] : []));
    const last = Math.max(0, ...averaged);
    const learned = (journals.get(node) ?? []).flatMap((record) => {
      if (record.kind !== "learning") return [];
      const place = placeOf.get(record.trial) ?? 0;
      return place > last && place <= round ? [record.updates] : [];
    });
    return [{ round, node, reported: update.updates, learned: learned.reduce((a, b) => a + b, 0) }];
  });
};
