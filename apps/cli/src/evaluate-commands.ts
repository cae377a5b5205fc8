import { basename } from "node:path";
import { cardPathOf, modelPolicy, openPolicy, policyFiles, policySource, readCard } from "@offloadlab/deployed";
import { communityAt } from "@offloadlab/model";
import type { OpenPolicy } from "@offloadlab/policies";
import { Failure, messageOf } from "@offloadlab/protocol";
import {
  answerRows,
  answersBetween,
  answersSoFar,
  answersText,
  differenceTable,
  type EpochSums,
  epochSeed,
  pairedDifferences,
  sweepRows,
  sweepTable,
} from "@offloadlab/records";
import { Community, type ComparedName, comparedNames, methods, policyFor, runOpenEpoch } from "@offloadlab/simulation";
import { exitCodes } from "./exit-codes.ts";
import { type Format, ProgressLine, printResult } from "./output.ts";
import { usualEvaluation } from "./trained-policies.ts";
import { openTraining, type TrainingPlan } from "./training-folder.ts";

export interface EvaluateOptions {
  /** Of ours, and of others by path or address. */
  readonly policies?: readonly string[];
  readonly policy?: readonly string[];
  readonly epochs: number;
  readonly seed: number;
  readonly format: Format;
}

/** What n counts, for machines. */
const ofTrials = "epochs of one training";

/** What n is: the agents of one training, again and again. */
const evaluationCaption =
  "mean ± half width of the 95 % Student-t interval over n epochs of one training: for these agents, not for the method";

/** What stands under differences between trainings. */
const pairsOfEpochs =
  "Pairs are epochs of one training each: a difference is one between these agents; between methods it takes several trainings of each, as a sweep makes.";

/** One that is evaluated. */
interface Entrant {
  readonly label: string;
  open(community: Community): Promise<Pick<OpenPolicy, "decide"> & Partial<OpenPolicy>>;
}

/** `offload evaluate`: what a training has learned, and policies beside it, over the same arrivals. */
export const evaluate = async (folder: string, options: EvaluateOptions): Promise<void> => {
  const { sums, text } = await evaluated([folder], options);
  printResult(options.format, exitCodes.ok, text, { ofTrials, rows: sweepRows(sums), answers: answerRows(sums) });
};

/** `offload compare` of trainings: the same of several, and by how much each differs from each other one. */
export const compareTrainings = async (
  folders: readonly string[],
  options: Partial<EvaluateOptions> & Pick<EvaluateOptions, "format">,
): Promise<void> => {
  const { sums, text } = await evaluated(folders, { ...usualEvaluation, ...options });
  const differences = pairedDifferences(sums);
  const whole = differences.length === 0 ? text : `${text}\n\n${differenceTable(differences, pairsOfEpochs)}`;
  printResult(options.format, exitCodes.ok, whole, {
    ofTrials,
    rows: sweepRows(sums),
    differences,
    answers: answerRows(sums),
  });
};

const evaluated = async (folders: readonly string[], options: EvaluateOptions) => {
  const { policies = [], policy = [], epochs, seed } = options;
  const trainings = await Promise.all(folders.map(trainedEntrant));
  const plan = (trainings[0] as (typeof trainings)[number]).plan;
  const entrants = [...labelled(trainings), ...[...policies, ...policy].map(namedEntrant)];
  const progress = new ProgressLine();
  const sums: EpochSums[] = [];
  let trials = 0;
  for (const { label, open } of entrants) {
    const worlds = [];
    for (const index of plan.world.communities.keys()) {
      const community = new Community(plan.world, index, plan.seed, undefined, plan.latencies);
      worlds.push({ community, policy: await opened(() => open(community)) });
    }
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const arrivals = epochSeed(seed, epoch);
      trials += 1;
      for (const { community, policy } of worlds) {
        const before = policy.answers && answersSoFar(policy.answers);
        const totals = await runOpenEpoch(community, policy, arrivals);
        const answers = policy.answers && before && answersBetween(before, policy.answers);
        const { name } = community.communitySettings;
        const where = { trial: trials, policy: label, repetition: epoch, variables: {}, community: name };
        sums.push({ ...where, epoch: 1, seed: arrivals, ...totals, ...(answers && { answers }) });
      }
      progress.update("evaluating", `${label}: epoch ${epoch} of ${epochs}`);
    }
    for (const { policy } of worlds) await policy.close?.();
  }
  const provenance = { sweep: folders.join(" "), commit: plan.commit, seed, trials };
  const lines = [
    sweepTable(sweepRows(sums), provenance, evaluationCaption).trimEnd(),
    ...answersText(answerRows(sums)),
  ];
  if (folders.length > 1) lines.push(`All in the world and with the devices of ${folders[0]}.`);
  return { sums, text: lines.join("\n") };
};

/** @throws Failure `config/invalid` when a policy cannot be used */
const opened = async <T>(open: () => Promise<T>): Promise<T> => {
  try {
    return await open();
  } catch (error) {
    if (error instanceof RangeError) throw new Failure("config/invalid", messageOf(error), { cause: error });
    throw error;
  }
};

/** A training's policies as their files would be: each decides in whatever community it is opened for. */
const trainedEntrant = async (folder: string) => {
  const { training, plan } = await openTraining(folder);
  const { method, networks } = plan.settings;
  const files = training.agents.map(({ actor }, index) => ({
    community: communityAt(plan.world, index).name,
    ...policyFiles(actor, networks, plan.world, index, { method }),
  }));
  await training.close();
  const open: Entrant["open"] = async ({ settings, communityIndex, devices, communitySettings: { name } }) => {
    const own = files.find(({ community }) => community === name);
    if (own === undefined) {
      throw new RangeError(
        `${folder} has learned for ${files.map((each) => each.community).join(", ")}, not for ${name}`,
      );
    }
    const model = `${folder}/${name}.onnx`;
    return modelPolicy(own.model, readCard(own.card, cardPathOf(model)), { settings, communityIndex, devices }, model);
  };
  return { folder, plan, open };
};

/** Trainings by their methods, or by their folders where two have the same one. */
const labelled = (trainings: readonly { folder: string; plan: TrainingPlan; open: Entrant["open"] }[]): Entrant[] =>
  trainings.map(({ folder, plan, open }) => {
    const { method } = plan.settings;
    const isAlone = trainings.filter((other) => other.plan.settings.method === method).length === 1;
    return { label: isAlone ? method : basename(folder), open };
  });

const namedEntrant = (name: string): Entrant => {
  if ((methods as readonly string[]).includes(name)) {
    const advice = "`offload train` makes one";
    throw new Failure("config/invalid", `expected the folder of a training of ${name}, got its name; ${advice}`);
  }
  return {
    label: name,
    async open(community) {
      if ((comparedNames as readonly string[]).includes(name)) return policyFor(name as ComparedName, community);
      const { location } = policySource(name, process.cwd());
      return openPolicy(location, community.settings, community.communityIndex, community.devices);
    },
  };
};
