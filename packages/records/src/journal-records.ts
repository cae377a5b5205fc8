import type { CommunityPlan, FederationSettings } from "@offloadlab/federation";
import type { Outcome } from "@offloadlab/model";
import type { FallbackReason } from "@offloadlab/policies";

/**
 * What a journal line says. NDJSON, so the units are in the names; every line carries `time`, Unix seconds on the
 * writing process's monotonic clock. `...Seconds` of a trial are lab seconds from its start.
 */
export type JournalRecord = { readonly time: number } & (
  | BootRecord
  | TrialRecord
  | GeneratedRecord
  | OutcomeRecord
  | BatteryRecord
  | EnergyRecord
  | BoardRecord
  | TrialEndRecord
  | AbandonedRecord
  | ActionRecord
  | SubSlotRecord
  | ServiceRecord
  | ServiceEnergyRecord
  | ReleasedRecord
  | RewardRecord
  | LearningRecord
  | AnswersRecord
  | NodeRecord
  | RunRecord
  | LostRecord
  | FederationRecord
  | RoundOpenRecord
  | UpdateRecord
  | RefusalRecord
  | RoundRecord
  | RoundSkippedRecord
  | AdoptedRecord
);

/** A record before it is stamped with its time. */
export type NewRecord = JournalRecord extends infer R ? (R extends JournalRecord ? Omit<R, "time"> : never) : never;

/** A process began (or began again) to write this journal. */
export interface BootRecord {
  readonly kind: "boot";
  readonly node: string;
  readonly boot: string;
}

export interface TrialRecord {
  readonly kind: "trial";
  readonly trial: number;
  readonly policy: string;
  readonly seed: number;
  readonly startsAtUnixSeconds: number;
  /** The trial that this one repeats, since a node was lost in the midst of it; absent of a first attempt. */
  readonly repeats?: number;
}

/** C-BS: a trial was cut short; what was journalled of it counts for nothing. */
export interface AbandonedRecord {
  readonly kind: "abandoned";
  readonly trial: number;
  readonly reason: string;
}

/** ED: a task entered the queue. */
export interface GeneratedRecord {
  readonly kind: "generated";
  readonly trial: number;
  readonly task: string;
  readonly arrivalSeconds: number;
  readonly dataBytes: number;
  readonly workCycles: number;
  readonly image: number;
}

/** ED: a task ended. */
export interface OutcomeRecord {
  readonly kind: "outcome";
  readonly trial: number;
  readonly task: string;
  readonly outcome: Outcome;
  readonly endSeconds: number;
  /** From generation to the beginning of execution, or to the task's end when it never began. */
  readonly waitingSeconds: number;
  /** From generation to the end. */
  readonly delaySeconds: number;
  readonly energyJoules: number;
  /** Half the width of the reading's 95 % interval; 0 for emulated energy, which follows the model exactly. */
  readonly energyUncertaintyJoules: number;
  /** Share of the task's window that the reading covers. */
  readonly energyCoverageRatio: number;
  /** `emulated`, `modelled` or the meter that measured it; `a+b` when it is of two nodes. */
  readonly energyMethod: string;
  /** b at the decision, which C3 was tested against. */
  readonly chargeJoules: number;
  readonly reward: number;
  readonly label: string | null;
  /** The image's own label, when its set has labels. */
  readonly expectedLabel: string | null;
  /** Why, where the outcome alone does not say it. */
  readonly detail?: string;
}

/** ED: the battery's ledger over one sub-slot, drain and harvest apart. */
export interface BatteryRecord {
  readonly kind: "battery";
  readonly trial: number;
  readonly subSlot: number;
  /** After the sub-slot. */
  readonly chargeJoules: number;
  /** What tasks took. */
  readonly drainedJoules: number;
  /** What was stored of e_t. */
  readonly harvestedJoules: number;
  /** Where the drain is from: the model, or a board's meter. */
  readonly method: "emulated" | "measured";
  /** Where the harvest is from; absent in archives of emulated hardware alone. */
  readonly harvestSource?: "emulated" | "measured" | "scaled";
  /** Share of the sub-slot in which the harvest was observed; nothing came in while it was not. */
  readonly harvestCoverageRatio?: number;
}

/** ED, MEC with a meter: where the node's energy went in the trial. Tasks and idle add up to the total. */
export interface EnergyRecord {
  readonly kind: "energy";
  readonly trial: number;
  readonly totalJoules: number;
  /** Above the idle power, by all tasks together. */
  readonly tasksJoules: number;
  readonly idleJoules: number;
  /** Share of the time that was observed. */
  readonly coverageRatio: number;
  /** Readings that failed. */
  readonly failedReadings: number;
}

/** ED, MEC on a board: its state at one moment; null where it could not be read. */
export interface BoardRecord {
  readonly kind: "board";
  readonly trial: number;
  readonly clockHertz: number | null;
  readonly throttled: boolean | null;
  readonly temperatureCelsius: number | null;
  readonly wifiHertz: number | null;
  readonly wifiSignalDbm: number | null;
  readonly wifiBitsPerSecond: number | null;
  readonly clockOffsetSeconds: number | null;
  readonly clockOffsetBoundSeconds: number | null;
  /** Why something is null. */
  readonly failures: readonly string[];
}

/** ED, MEC: nothing of the trial is left on this node. */
export interface TrialEndRecord {
  readonly kind: "trial-end";
  readonly trial: number;
}

/** MEC: what the policy decided for one sub-slot. */
export interface ActionRecord {
  readonly kind: "action";
  readonly trial: number;
  readonly subSlot: number;
  /** From the sub-slot's start to the decision. */
  readonly latenessSeconds: number;
  /** Shares that tasks in flight hold. */
  readonly bandwidthInUseRatio: number;
  readonly computeInUseRatio: number;
  /** Of a policy from outside: its answer broke C4 or C5, or offloaded what cannot be, and was brought within them. */
  readonly adjusted?: true;
  /** Of a policy from outside: why Fair decided in its place. */
  readonly fallback?: FallbackReason;
  readonly decisions: readonly Decision[];
}

/** MEC: how timely a sub-slot was decided, with or without a task in it; the last answer is out. */
export interface SubSlotRecord {
  readonly kind: "sub-slot";
  readonly trial: number;
  readonly subSlot: number;
  /** Devices whose report came in time, of all that had not said their last. */
  readonly reported: number;
  readonly devices: number;
  /** From the sub-slot's start until all had reported, or the server waited no longer. */
  readonly begunSeconds: number;
  /** From the sub-slot's start until the last answer was handed to its socket. */
  readonly handedSeconds: number;
}

export interface Decision {
  readonly task: string;
  readonly placement: "local" | "edge" | "wait";
  readonly bandwidthShare: number;
  readonly computeShare: number;
  readonly lease?: string;
}

/** MEC: a leased task was uploaded and executed. */
export interface ServiceRecord {
  readonly kind: "service";
  readonly trial: number;
  readonly task: string;
  readonly lease: string;
  readonly uploadBytes: number;
  /** First to last body byte on this server's clock. */
  readonly uploadSeconds: number;
  /** T^tr of Eq. (2). */
  readonly theoreticalUploadSeconds: number;
  /** T^tr of the lease: the same, or corrected by what the link was seen to do. */
  readonly leasedUploadSeconds: number;
  readonly queueSeconds: number;
  readonly executionSeconds: number;
  readonly computeShare: number;
  readonly achievedComputeShare: number;
  readonly label: string;
}

/** MEC with a meter: E^m of a task as it was measured, a moment after its service. */
export interface ServiceEnergyRecord {
  readonly kind: "service-energy";
  readonly trial: number;
  readonly task: string;
  readonly energyJoules: number;
  /** Half the width of the reading's 95 % interval. */
  readonly energyUncertaintyJoules: number;
  readonly energyCoverageRatio: number;
  readonly energyMethod: string;
}

/** MEC: a lease ended without service. */
export interface ReleasedRecord {
  readonly kind: "released";
  readonly trial: number;
  readonly task: string;
  readonly lease: string;
  readonly reason: string;
}

/** MEC: what a learner is paid for a task, Eq. (19) as measured. */
export interface RewardRecord {
  readonly kind: "reward";
  readonly trial: number;
  readonly task: string;
  /** Whose decision is paid for. */
  readonly subSlot: number;
  readonly outcome: Outcome;
  /** T as measured: what its upload took beyond the theory is in it. */
  readonly delaySeconds: number;
  /** Measured less theoretical T^tr; null where nothing was uploaded to its end. */
  readonly transmissionErrorSeconds: number | null;
  readonly energyJoules: number;
  readonly reward: number;
}

/** MEC: what a learner did in a trial. */
export interface LearningRecord {
  readonly kind: "learning";
  readonly trial: number;
  readonly policy: string;
  /** Epochs of this agent, those of its training included. */
  readonly epoch: number;
  /** Sub-slots whose tasks have all ended. */
  readonly transitions: number;
  /** Sub-slots that nothing can be learned from: a report, or what came after, is missing. */
  readonly discarded: number;
  readonly updates: number;
  /** Mean losses of the updates, without proximal terms, by network. */
  readonly losses: Readonly<Record<string, number>>;
  /** How often the learner's process ended by itself, and another one went on; absent when it did not. */
  readonly deaths?: number;
}

/** MEC: what became of the answers of a policy from outside in a trial. */
export interface AnswersRecord {
  readonly kind: "answers";
  readonly trial: number;
  readonly policy: string;
  /** Sub-slots that it was asked to decide. */
  readonly asked: number;
  readonly adjusted: number;
  /** Sub-slots that Fair decided in its place. */
  readonly fallbacks: Readonly<Record<FallbackReason, number>>;
  /** Why it was the first time in the run, in words; only in the trial of that time. */
  readonly firstProblem?: string;
}

/** C-BS: a node came or went. */
export interface NodeRecord {
  readonly kind: "node";
  readonly node: string;
  readonly state: "online" | "offline";
  readonly boot: string;
}

/** C-BS: the run changed its state. */
export interface RunRecord {
  readonly kind: "run";
  readonly state: string;
  readonly reason?: string;
}

/** C-BS: a task that no node saw the end of. */
export interface LostRecord {
  readonly kind: "lost";
  readonly trial: number;
  readonly task: string;
}

/** C-BS: the learners of a policy are federated. */
export interface FederationRecord {
  readonly kind: "federation";
  readonly policy: string;
  /** In the order of the communities. */
  readonly nodes: readonly string[];
  /** Float32 numbers of each network. */
  readonly shapes: Readonly<Record<string, number>>;
  readonly settings: FederationSettings;
  readonly minimumReports: number;
  readonly seed: number;
}

/** C-BS: a round takes updates from now on. */
export interface RoundOpenRecord {
  readonly kind: "round-open";
  readonly policy: string;
  /** From 1. */
  readonly round: number;
  /** The last trial before it. */
  readonly trial: number;
  /** Real seconds that servers have. */
  readonly deadlineInSeconds: number;
}

/** C-BS: a server's weights were taken in. */
export interface UpdateRecord {
  readonly kind: "update";
  readonly policy: string;
  readonly round: number;
  readonly node: string;
  /** `Content-Digest` of the file with the weights. */
  readonly digest: string;
  readonly bytes: number;
  /** Updates of the learner since the last round that it took over. */
  readonly updates: number;
  readonly meanAbsoluteReward: number;
  /** Mean un-penalised losses by network; null for one that is not finite. */
  readonly losses: Readonly<Record<string, number | null>>;
  readonly diverged: boolean;
}

/** C-BS: weights were not taken in. */
export interface RefusalRecord {
  readonly kind: "refusal";
  readonly policy: string;
  readonly node: string;
  readonly code: string;
  readonly reason: string;
}

/** C-BS: a round took place. */
export interface RoundRecord {
  readonly kind: "round";
  readonly policy: string;
  readonly round: number;
  /** Z_r: communities whose models were averaged. */
  readonly participants: readonly number[];
  /** [m] */
  readonly communities: readonly CommunityPlan[];
  /** `Content-Digest` of the file with the global model. */
  readonly digest: string;
  readonly bytes: number;
}

/** C-BS: a round came to nothing. */
export interface RoundSkippedRecord {
  readonly kind: "round-skipped";
  readonly policy: string;
  readonly round: number;
  readonly reason: string;
}

/** MEC: the learner took over a round's result; again after a restart. */
export interface AdoptedRecord {
  readonly kind: "adopted";
  readonly policy: string;
  readonly round: number;
  /** Of the global model. */
  readonly digest: string;
  /** Of the mixed weights. */
  readonly weightsDigest: string;
  /** Of the weights that it was mixed with: those of its update in this round, when it sent one. */
  readonly localDigest: string;
  readonly globalShare: number;
  readonly proximalWeights: Readonly<Record<string, number>>;
}
