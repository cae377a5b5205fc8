import { areFinite } from "@offloadlab/federation";
import { stayInBackground } from "@offloadlab/hardware";
import { answerCarrier, carriedData, endCarried, hearRequests } from "@offloadlab/hardware/carrier";
import { type Losses, onnxEngine, tfjsEngine } from "@offloadlab/learning";
import { deployedAgent } from "@offloadlab/simulation";
import type { LearnerReport } from "./federation-client.ts";
import {
  type LearnerAnswer,
  type LearnerData,
  type LearnerRequest,
  type LearnerSnapshot,
  nothingSince,
  type SinceRound,
} from "./learner-messages.ts";

stayInBackground();

/** A learner that falls behind owes no more updates than these: old ones are worth less than being up to date. */
const mostOwed = 200;

const { deployment, world, communityIndex, engine } = await carriedData<LearnerData>();
const { agent } = deployedAgent(deployment, engine === "tfjs" ? tfjsEngine : onnxEngine, world, communityIndex);

let since = nothingSince;
/** What of it has been reported. */
let reported = nothingSince;
/** Updates that are due. */
let owed = 0;
let isClosed = false;
/** What has come and is not yet handled; the agent is never asked two things at once. */
const inbox: LearnerRequest[] = [];
let wake: () => void = () => {};

const say: (message: LearnerAnswer, transfer?: ArrayBuffer[]) => void = answerCarrier;

const combined = (a: Losses, b: Losses, sign: 1 | -1): Losses =>
  Object.fromEntries(
    [...new Set([...Object.keys(a), ...Object.keys(b)])].map((name) => [name, (a[name] ?? 0) + sign * (b[name] ?? 0)]),
  );
const added = (a: SinceRound, b: SinceRound, sign: 1 | -1 = 1): SinceRound => ({
  losses: combined(a.losses, b.losses, sign),
  counts: combined(a.counts, b.counts, sign),
  updates: a.updates + sign * b.updates,
  absoluteReward: a.absoluteReward + sign * b.absoluteReward,
  rewards: a.rewards + sign * b.rewards,
});

const update = async (): Promise<void> => {
  owed -= 1;
  const losses = await agent.update();
  const counts = Object.fromEntries(Object.keys(losses).map((name) => [name, 1]));
  since = added(since, { ...nothingSince, losses, counts, updates: 1 });
  const { weights } = agent;
  const buffers = Object.values(weights).map(({ buffer }) => buffer as ArrayBuffer);
  say({ kind: "learned", weights, losses }, buffers);
};

const report = (): LearnerReport => {
  reported = since;
  const { losses, counts, updates, absoluteReward, rewards } = since;
  const { weights } = agent;
  // A network that was not updated has lost nothing.
  const mean = (name: string): number => (losses[name] ?? 0) / Math.max(counts[name] ?? 0, 1);
  return {
    weights,
    losses: Object.fromEntries(Object.keys(weights).map((name) => [name, mean(name)])),
    updates,
    meanAbsoluteReward: absoluteReward / Math.max(rewards, 1),
  };
};

const handle = (request: LearnerRequest): void => {
  switch (request.kind) {
    case "begin-epoch":
      agent.beginEpoch(request.epoch);
      return;
    case "learn": {
      const { reward } = request.transition;
      agent.store(request.transition);
      owed = Math.min(owed + request.updates, mostOwed);
      const absoluteReward = reward.reduce((sum, value) => sum + Math.abs(value), 0);
      since = added(since, { ...nothingSince, absoluteReward, rewards: reward.length });
      return;
    }
    case "report":
      say({ kind: "answer", id: request.id, value: report() });
      return;
    case "adopt":
      // It may have diverged after what it sent for the round.
      if (request.startsAnew || !areFinite(agent.weights)) agent.startFrom(request.weights);
      else agent.weights = request.weights;
      agent.proximal = request.proximal;
      since = added(since, reported, -1);
      reported = nothingSince;
      say({ kind: "answer", id: request.id, value: undefined });
      return;
    case "pull":
      agent.proximal = request.proximal;
      say({ kind: "answer", id: request.id, value: undefined });
      return;
    case "snapshot":
      say({ kind: "answer", id: request.id, value: { agent: agent.snapshot(), since } satisfies LearnerSnapshot });
      return;
    case "restore":
      agent.restore(request.snapshot.agent);
      since = request.snapshot.since;
      reported = nothingSince;
      say({ kind: "answer", id: request.id, value: undefined });
      return;
    case "close":
      isClosed = true;
  }
};

/** Messages first, then one update; then again. */
const serve = async (): Promise<void> => {
  while (!isClosed) {
    const request = inbox.shift();
    if (request !== undefined) {
      // What a snapshot is to keep includes the updates that are due.
      while (request.kind === "snapshot" && owed > 0) await update();
      handle(request);
    } else if (owed > 0) await update();
    else {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    // Messages come in between.
    if (inbox.length === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await agent.close();
  endCarried();
};

hearRequests<LearnerRequest>((request) => {
  inbox.push(request);
  wake();
});
say({ kind: "ready" });
await serve();
