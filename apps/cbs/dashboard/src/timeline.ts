import type { LiveTrace } from "@offloadlab/protocol";

type TraceEvent = LiveTrace["events"][number];

/** An event with the place of its bar, as shares of the task's life. */
export interface PlacedEvent {
  readonly event: TraceEvent;
  readonly left: number;
  readonly width: number;
}

/** Events on the scale of the task's own life; what the C-BS did before it, such as beginning the trial, stands at its edge. */
export const timelineOf = (events: readonly TraceEvent[]): PlacedEvent[] => {
  const own = events.filter(({ node }) => node !== "cbs");
  const first = Math.min(...own.map(({ fromSeconds }) => fromSeconds));
  const length = Math.max(...own.map(({ toSeconds }) => toSeconds)) - first;
  const place = (seconds: number): number => (length > 0 ? Math.min(Math.max((seconds - first) / length, 0), 1) : 0);
  return events.map((event) => {
    const left = place(event.fromSeconds);
    return { event, left, width: place(event.toSeconds) - left };
  });
};
