import type { LiveTrace } from "@offloadlab/protocol";
import { useState } from "preact/hooks";
import { fixed } from "./format.ts";
import { timelineOf } from "./timeline.ts";

/** What the C-BS said to a question: a task's timeline, or why there is none. */
type Answer = { readonly trace: LiveTrace } | { readonly why: string };

const ask = async (task: string, trial?: number): Promise<Answer> => {
  const query = new URLSearchParams({ task, ...(trial === undefined ? {} : { trial: String(trial) }) });
  try {
    const response = await fetch(`trace?${query}`);
    const body = (await response.json()) as LiveTrace | { readonly detail: string };
    return "events" in body ? { trace: body } : { why: body.detail };
  } catch {
    return { why: "the C-BS cannot be reached" };
  }
};

/** One task's life across its device, its server and the C-BS. */
export const TracePanel = () => {
  const [task, setTask] = useState("");
  const [answer, setAnswer] = useState<Answer | null>(null);
  const show = (trial?: number): void => void ask(task.trim(), trial).then(setAnswer);
  return (
    <section class="trace" aria-labelledby="trace">
      <div class="section-head">
        <h2 id="trace">One task's life</h2>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            show();
          }}
        >
          <input
            aria-label="task"
            data-testid="trace-task"
            placeholder="ed-1-1-0"
            value={task}
            onInput={({ currentTarget }) => setTask(currentTarget.value)}
          />
          <button type="submit">Show</button>
        </form>
      </div>
      {answer !== null && (
        <div class="card table-card" data-testid="trace">
          {"why" in answer ? <p class="note">{answer.why}</p> : <Timeline trace={answer.trace} show={show} />}
        </div>
      )}
    </section>
  );
};

interface TimelineProps {
  readonly trace: LiveTrace;
  readonly show: (trial: number) => void;
}

const Timeline = ({ trace: { task, trial, trials, events }, show }: TimelineProps) => (
  <>
    <p class="note">
      {task} in trial
      {trials.map((number) => (
        <button key={number} type="button" disabled={number === trial} onClick={() => show(number)}>
          {number}
        </button>
      ))}
    </p>
    <table>
      <thead>
        <tr>
          <th scope="col">Node</th>
          <th scope="col">What</th>
          <th scope="col">Timeline</th>
          <th scope="col">at [s]</th>
          <th scope="col">for [s]</th>
          <th scope="col">Detail</th>
        </tr>
      </thead>
      <tbody>
        {timelineOf(events).map(({ event: { node, what, fromSeconds, toSeconds, detail }, left, width }) => (
          <tr key={`${node} ${what} ${fromSeconds}`}>
            <td>{node}</td>
            <td>{what}</td>
            <td>
              <span class="life" aria-hidden="true">
                <span style={{ left: `${100 * left}%`, width: `${100 * width}%` }} />
              </span>
            </td>
            <td>{fixed(fromSeconds, 3)}</td>
            <td>{toSeconds > fromSeconds ? fixed(toSeconds - fromSeconds, 3) : ""}</td>
            <td>{detail}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </>
);
