import { isPolicySource, PolicyProblem } from "@offloadlab/deployed";
import { Failure, messageOf, readEnvironment } from "@offloadlab/protocol";
import { type Resolution, type Resolvable, resolvable } from "@offloadlab/records";
import { comparedNames, methods, tuneEngine } from "@offloadlab/simulation";
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { check, report } from "./archive-commands.ts";
import { calibrateRun } from "./calibrate-command.ts";
import { type CompareOptions, compare } from "./compare-command.ts";
import { type EvaluateOptions, evaluate } from "./evaluate-commands.ts";
import { type ExitCode, exitCodes, exitCodesHelp } from "./exit-codes.ts";
import type { ManifestChanges } from "./experiment-source.ts";
import { inventoryLabUp } from "./inventory-lab.ts";
import { addLabCommands, inventoryOption } from "./lab-commands.ts";
import { type LabUpOptions, labUp } from "./lab-up.ts";
import { type Format, printResult } from "./output.ts";
import { replay } from "./replay-command.ts";
import { type ReproduceOptions, type Reproducible, reproduce, reproducible } from "./reproduce.ts";
import { run } from "./run-command.ts";
import { runTrials } from "./run-trials.ts";
import { type SweepOptions, simulate, sweep } from "./sweep-commands.ts";
import { trace } from "./trace-command.ts";
import { readingsHelp, type TrainOptions, train } from "./train-commands.ts";
import { usualEvaluation } from "./trained-policies.ts";
import { engineNames } from "./training-folder.ts";
import { version } from "./version.ts";

const portNumber = (text: string): number => {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError("expected a port from 0 to 65535.");
  return port;
};
const format = (): Option => new Option("--format <format>", "how to answer").choices(["text", "json"]).default("text");
const runs = (): Option => new Option("--runs <folder>", "where archives are").default("runs");
const home = (): Option =>
  new Option("--home <folder>", "the lab's own files: keys, logs, generated images").default(".offload");

const collected = (value: string, values: readonly string[] = []): string[] => [...values, value];

const policySourceHelp =
  "a policy of your own beside them: an .onnx file with its card, a folder of them or http://host:port/path; may be repeated";

const program = new Command("offload")
  .description(
    "OffloadLab: experiments in multi-edge computation offloading, in a rehearsal on one machine or on a lab's boards",
  )
  .version(version)
  .exitOverride()
  .addHelpText("after", exitCodesHelp);

const lab = program.command("lab").description("bring a lab up").addHelpText("after", exitCodesHelp);
lab
  .command("up")
  .description("start the lab, run one comparison, serve the dashboard until Ctrl-C (without a terminal: exit)")
  .option("--rehearsal", "the whole lab on this machine: everything real but battery, clock rate and radio rate")
  .addOption(inventoryOption())
  .option("--experiment <file>", "manifest of the comparison (default: experiments/lab.yaml; of a rehearsal live.yaml)")
  .option("--policy <source>", policySourceHelp, collected)
  .option("--images <folder>", "make tasks of these JPEG and PNG files instead of generated images")
  .option("--classifier <file>", "ONNX image classifier, its YAML card beside it, instead of the embedded one")
  .addOption(runs())
  .addOption(home())
  .addOption(new Option("--dashboard-port <port>", "0 takes a free one").argParser(portNumber).default(0))
  .option("--serve", "keep serving the dashboard even without a terminal")
  .addOption(format())
  .addHelpText("after", exitCodesHelp)
  .action((options: LabUpOptions & { rehearsal?: boolean; inventory: string }) =>
    options.rehearsal === true ? labUp(options) : inventoryLabUp(options),
  );

program
  .command("run")
  .description("run an experiment on the lab that is up")
  .argument("<manifest>", "experiment.yaml")
  .option("--policy <source>", policySourceHelp, collected)
  .addOption(home())
  .addOption(runs())
  .addOption(format())
  .addHelpText("after", exitCodesHelp)
  .action(run);

const positiveInteger = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("expected an integer above 0.");
  return value;
};
const knownNames: readonly string[] = [...comparedNames, ...methods];
const policyList = (text: string): string[] =>
  list(text).map((name) => {
    if (knownNames.includes(name) || isPolicySource(name)) return name;
    const others = "or an .onnx file, a folder of them or an address";
    throw new InvalidArgumentError(`expected ${knownNames.join(", ")}, ${others}, got ${name}.`);
  });
const list = (text: string): string[] => text.split(",").map((word) => word.trim());

/** What of a manifest the command line may say instead. */
const withChanges = (command: Command): Command =>
  command
    .option("--preset <name>", "paper, paper-physical or testbed")
    .option("--policies <names>", `comma separated, of ${knownNames.join(", ")}`, list)
    .option("--policy <source>", policySourceHelp, collected)
    .option("--repetitions <n>", "how often each policy is run, with other arrivals each time", positiveInteger)
    .option("--epochs <n>", "how many epochs a repetition lasts", positiveInteger)
    .option("--seed <seed>", "what everything random is drawn from", (text) => Number(text))
    .option("--set <path=value>", "a setting, e.g. communities.each.device_count=20; may be repeated", collected)
    .addOption(format())
    .addHelpText("after", exitCodesHelp);
const withPlaces = (command: Command): Command =>
  withProcesses(
    command.option("--out <folder>", "where the sweep is kept (default: sweeps/<name>-<digest of its plan>)"),
  );
const withProcesses = (command: Command): Command =>
  command
    .addOption(new Option("--on <place>", "where trials run").choices(["local", "slurm"]).default("local"))
    .option("--processes <n>", "how many trials at once (default: one per processor; Slurm: no limit)", positiveInteger)
    .option("--sbatch <argument>", "for sbatch, e.g. --sbatch=--partition=short; may be repeated", collected);

withChanges(
  program
    .command("simulate")
    .description("compare policies in the simulator, in this process")
    .argument("[manifest]", "experiment.yaml (default: the preset `paper`, all policies)"),
).action((file: string | undefined, options: ManifestChanges & { format: Format }) => simulate(file, options));

withChanges(
  withPlaces(
    program
      .command("sweep")
      .description("simulate every trial of a manifest, each in a process; goes on where it was stopped")
      .argument("<manifest>", "experiment.yaml"),
  ),
).action((file: string, options: ManifestChanges & SweepOptions) => sweep(file, options));

program
  .command("trial")
  .description("simulate trials of a sweep that are not there yet: what its processes and cluster jobs do")
  .argument("<sweep>", "folder of the sweep")
  .argument("<numbers>", "3, 3-7 or 3,5-7")
  .action((folder: string, numbers: string) => runTrials(folder, numbers));

withChanges(
  withProcesses(
    program
      .command("reproduce")
      .description("the paper's experiments, with its numbers beside; goes on where it was stopped")
      .addArgument(new Argument("<what>").choices(reproducible))
      .option("--quick", "for a look, in minutes: one seed, few epochs")
      .option("--out <folder>", "where tables and figures go", "reproduced")
      .option("--sweeps <folder>", "where trials and trainings are kept, to go on from", "sweeps"),
  ),
).action((what: Reproducible, options: ReproduceOptions) => reproduce(what, options));

const seedNumber = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 4_294_967_295)
    throw new InvalidArgumentError("expected an integer from 0 to 4294967295.");
  return value;
};

program
  .command("train")
  .description("train the agents of all communities in the simulator; goes on where it was stopped")
  .option("--preset <name>", "paper, paper-physical or testbed", "paper")
  .option("--settings <file>", "of `offload calibrate`, or the settings.json of a run, instead of a preset")
  .addOption(new Option("--method <method>", "the learner").choices(methods).default("pfr-oa"))
  .addOption(
    new Option("--networks <kind>", "set: weights shared by all devices; flat: one network over the whole state")
      .choices(["set", "flat"])
      .default("set"),
  )
  .addOption(
    new Option("--hyperparameters <which>", "what learned best, or the paper's own where it gives them")
      .choices(["recommended", "paper"])
      .default("recommended"),
  )
  .option("--reading <name=value>", `of Algorithms 1 and 2, may be repeated: ${readingsHelp}`, collected)
  .option("--epochs <n>", "P", positiveInteger, 60)
  .option("--seed <seed>", "of weights, arrivals and exploration", seedNumber, 1)
  .option("--set <path=value>", "a setting, e.g. communities.each.bandwidth_hertz=5e6; may be repeated", collected)
  .addOption(
    new Option("--engine <engine>", "what computes updates: ONNX Runtime or TensorFlow.js")
      .choices(engineNames)
      .default("onnx"),
  )
  .requiredOption("--out <folder>", "where checkpoints, curves and policies are kept")
  .addOption(format())
  .addHelpText("after", exitCodesHelp)
  .action((options: TrainOptions) => train(options));

const withArrivals = (command: Command): Command =>
  command
    .option("--policies <names>", "beside them, comma separated: local, edge, greedy, fair, oracle", policyList)
    .option("--policy <source>", policySourceHelp, collected)
    .addOption(format())
    .addHelpText("after", exitCodesHelp);

withArrivals(
  program
    .command("evaluate")
    .description("what a training has learned")
    .argument("<training>", "folder of `offload train`")
    .option("--epochs <n>", "how many epochs, each with arrivals of its own", positiveInteger, usualEvaluation.epochs)
    .option("--seed <seed>", "of the arrivals; no training sees them", seedNumber, usualEvaluation.seed),
).action((folder: string, options: EvaluateOptions) => evaluate(folder, options));

const resolution = (text: string, before: readonly Resolution[] = []): Resolution[] => {
  const [metric = "", value = ""] = text.split("=");
  const halfWidth = Number(value);
  if (!(metric in resolvable && halfWidth > 0 && Number.isFinite(halfWidth))) {
    throw new InvalidArgumentError(`expected ${Object.keys(resolvable).join(", ")} = a number above 0, got ${text}.`);
  }
  return [...before, { metric: metric as Resolvable, halfWidth }];
};

withArrivals(
  program
    .command("compare")
    .description(
      "policies of a manifest on a lab or in the simulator, or trainings: every pair, with paired differences",
    )
    .argument("[what...]", "experiment.yaml, or folders of `offload train`; with --aa also a run")
    .addOption(
      new Option("--on <place>", "where a manifest is run: the lab that is up, one started for it, the simulator")
        .choices(["lab", "rehearsal", "simulator"])
        .default("lab"),
    )
    .option(
      "--resolve <metric=h>",
      "run as often as ± h takes: success, energy, waiting or reward; may be repeated",
      resolution,
    )
    .option("--pilot <run>", "with --resolve: size from this archive, instead of from a run of the manifest")
    .option("--max-repetitions <n>", "with --resolve: no more than these", positiveInteger, 100)
    .option("--aa <policy>", "compare this policy with itself: how often is a difference seen where there is none")
    .option("--comparisons <n>", "with --aa: how many (default: 200 in the simulator, 20 elsewhere)", positiveInteger)
    .option("--repetitions <n>", "of a manifest; with --aa: pairs of each comparison (default: 10)", positiveInteger)
    .option("--epochs <n>", "of trainings: how many, each with arrivals of its own (default: 30)", positiveInteger)
    .option("--seed <seed>", "of everything random; of trainings: of the arrivals (default: 9)", seedNumber)
    .addOption(home())
    .addOption(runs()),
).action((what: string[], options: CompareOptions) => compare(what, options));

program
  .command("check")
  .description("verify a run's archive from its files alone")
  .argument("<run>", "folder or id of a run")
  .addOption(runs())
  .addOption(format())
  .addHelpText("after", exitCodesHelp)
  .action(check);

program
  .command("report")
  .description("a run's comparison and how well leases were kept; of a sweep the table and the figures")
  .argument("<runs...>", "folder or id of a run, of several runs, or folder of a sweep")
  .option(
    "--figures <folder>",
    "of a run: draw Fig. 11 there, rewards by community and policy (SVG, PDF, PNG); of several: their rewards side by side",
  )
  .addOption(runs())
  .addOption(format())
  .addHelpText("after", exitCodesHelp)
  .action(report);

program
  .command("replay")
  .description("repeat a run's trials in the simulator: how far the laboratory is from it, and why")
  .argument("<run>", "folder or id of a run")
  .addOption(runs())
  .addOption(format())
  .addHelpText("after", exitCodesHelp)
  .action(replay);

program
  .command("calibrate")
  .description("fit the simulator's settings to what a run has measured: rates, clocks, energies, latencies")
  .argument("<run>", "folder or id of a run")
  .option("--out <file>", "where the settings are written (default: <run>.settings.json)")
  .addOption(runs())
  .addOption(format())
  .addHelpText("after", exitCodesHelp)
  .action(calibrateRun);

program
  .command("trace")
  .description("the life of one task across its device, its server and the C-BS, as a timeline")
  .argument("<run>", "folder or id of a run")
  .argument("<task>", "e.g. ed-1-1-0")
  .option("--trial <number>", "which trial's, when several have a task of this name; 0 is the warm-up", (text) =>
    Number(text),
  )
  .addOption(runs())
  .addOption(format())
  .addHelpText("after", exitCodesHelp)
  .action(trace);

program
  .command("version")
  .description("print version, commit and system")
  .addOption(format())
  .addHelpText("after", exitCodesHelp)
  .action(async (options: { format: Format }) => {
    const environment = await readEnvironment();
    const text = [
      `offload ${version}`,
      ...Object.entries(environment).map(([key, value]) => `${key}: ${String(value)}`),
    ];
    printResult(options.format, exitCodes.ok, text.join("\n"), { version, ...environment });
  });

addLabCommands(program);

/** The exit status of what a command threw. */
const exitCodeOf = (error: unknown): ExitCode => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof PolicyProblem) return exitCodes.badInput;
  if (!(error instanceof Failure)) return exitCodes.failed;
  if (error.code === "config/invalid" || error.code === "image/unreadable" || error.code === "classifier/unloadable")
    return exitCodes.badInput;
  return error.code === "peer/unreachable" || error.code === "peer/slow" ? exitCodes.unreachable : exitCodes.failed;
};

// Whoever reads the answer may have read enough, as `head` does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});
tuneEngine();
try {
  await program.parseAsync();
} catch (error) {
  const code = exitCodeOf(error);
  const json = process.argv.includes("json");
  if (!(error instanceof CommanderError)) {
    process.stderr.write(`offload: ${messageOf(error)}\n`);
    const isExplained = error instanceof Failure || error instanceof PolicyProblem;
    if (!isExplained && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
    if (json)
      printResult("json", code, "", { error: messageOf(error), code: error instanceof Failure ? error.code : null });
  }
  process.exitCode = code;
}
