import { fork } from "node:child_process";
import { parentPort, SHARE_ENV, Worker, workerData } from "node:worker_threads";

/** Whether a program runs on a thread of this process, or in a process of its own, which may abort. */
export type CarriedOn = "thread" | "process";

/** The way to a program beside the event loop, and back. */
export interface Carrier<Request, Answer> {
  /** @param transfer handed over to a thread: empty afterwards; a process gets copies */
  post(request: Request, transfer?: ArrayBuffer[]): void;
  onAnswer(hear: (answer: Answer) => void): void;
  /** Told once, however it ended. @param how what ended and with what, as `the learner's process ended with SIGKILL` */
  onEnd(hear: (how: string, cause: unknown) => void): void;
  /** Ends the program, whatever it is at. */
  end(): void;
}

/**
 * Starts a program that calls `carriedData`, because what it runs blocks the thread that it is on.
 *
 * @param name whose thread or process it is, for `how`: `the inference`
 * @param data what the program is given to start with
 */
export const carry = <Request, Answer>(
  program: URL,
  on: CarriedOn,
  name: string,
  data: unknown,
): Carrier<Request, Answer> => (on === "thread" ? onThread(program, name, data) : inProcess(program, name, data));

const onThread = <Request, Answer>(program: URL, name: string, data: unknown): Carrier<Request, Answer> => {
  const worker = new Worker(program, { workerData: data, execArgv: [], env: SHARE_ENV });
  let cause: unknown;
  worker.on("error", (error) => {
    cause = error;
  });
  return {
    post: (request, transfer = []) => worker.postMessage(request, transfer),
    onAnswer: (hear) => worker.on("message", hear),
    onEnd: (hear) => worker.once("exit", (code) => hear(`${name} thread ended with code ${code}`, cause)),
    end: () => void worker.terminate(),
  };
};

/** The process ends when this one does: its only input is the channel between them. */
const inProcess = <Request, Answer>(program: URL, name: string, data: unknown): Carrier<Request, Answer> => {
  const child = fork(program, {
    execArgv: [],
    serialization: "advanced",
    env: { ...process.env, ORT_DISABLE_TELEMETRY: "1" },
  });
  // A message to a process that has just ended is answered by that end.
  const send = (message: unknown): void => void child.send(message as object, () => undefined);
  send(data);
  return {
    post: send,
    onAnswer: (hear) => child.on("message", (answer) => hear(answer as Answer)),
    onEnd: (hear) => {
      // What could not be started tells so, and then may end as well.
      let told = false;
      const tell = (how: string, cause?: unknown): void => {
        if (!told) hear(how, cause);
        told = true;
      };
      child.once("error", (error) => tell(`${name} process could not be started: ${error.message}`, error));
      child.once("exit", (code, signal) => tell(`${name} process ended with ${signal ?? `code ${code}`}`));
    },
    end: () => void child.kill("SIGKILL"),
  };
};

/** In a carried process: what it was told before `hearRequests` was called. */
const early: unknown[] = [];
let onMessage = (message: unknown): void => void early.push(message);

/** In a carried program: what it was given to start with. Called once, before `hearRequests`. */
export const carriedData = <Data>(): Promise<Data> => {
  if (parentPort !== null) return Promise.resolve(workerData as Data);
  return new Promise((resolve) => {
    const keep = onMessage;
    onMessage = (data) => {
      onMessage = keep;
      resolve(data as Data);
    };
    // One listener from now on: whatever came with the first message would be lost without one.
    process.on("message", (message) => onMessage(message));
  });
};

/** In a carried program: to whoever started it. @param transfer as of a carrier's `post` */
export const answerCarrier = <Answer>(answer: Answer, transfer: ArrayBuffer[] = []): void => {
  if (parentPort === null) process.send?.(answer);
  else parentPort.postMessage(answer, transfer);
};

/** In a carried program: from whoever started it. Requests that came before this was called are heard as well. */
export const hearRequests = <Request>(hear: (request: Request) => void): void => {
  if (parentPort !== null) {
    parentPort.on("message", hear);
    return;
  }
  onMessage = (request) => hear(request as Request);
  for (const request of early.splice(0)) onMessage(request);
};

/** In a carried program: it hears nothing more, and ends when it has nothing left to do. */
export const endCarried = (): void => {
  if (parentPort === null) process.disconnect();
  else parentPort.close();
};
