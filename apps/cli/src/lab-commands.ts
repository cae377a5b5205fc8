import { type Command, InvalidArgumentError, Option } from "commander";
import { caEnrol, caInit, caList, caRevoke } from "./ca-commands.ts";
import { collect, type DeployOptions, deploy, play, remove } from "./deploy-commands.ts";
import { doctor } from "./doctor-command.ts";
import { exitCodesHelp } from "./exit-codes.ts";
import { nodeIdentify, nodeList, nodeLogs } from "./node-commands.ts";
import { defaultInventory } from "./paths.ts";

const format = (): Option => new Option("--format <format>", "how to answer").choices(["text", "json"]).default("text");
const home = (): Option =>
  new Option("--home <folder>", "the lab's own files: authority, logs, images").default(".offload");
export const inventoryOption = (): Option =>
  new Option("--inventory <file>", "the lab's machines, in Ansible's YAML").default(defaultInventory);
const authority = (): Option => new Option("--ca <folder>", "the lab's certificate authority").default(".offload/ca");
const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("expected an integer above 0.");
  return value;
};

const withLab = (command: Command): Command =>
  command.addOption(inventoryOption()).addOption(home()).addOption(format()).addHelpText("after", exitCodesHelp);
const withPlaybook = (command: Command): Command =>
  withLab(command)
    .option("--limit <nodes>", "only these nodes or groups, comma separated")
    .option("--check", "say what would be changed, and change nothing")
    .option("--force", "even while a run is open, which is lost then")
    .option("--ask-become-pass", "ask for the password of sudo on the nodes");

/** The commands for a lab of machines. */
export const addLabCommands = (program: Command): void => {
  withPlaybook(
    program.command("provision").description("prepare flashed boards: user, names, time, radio, sensors, clocks"),
  )
    .option("--reboot", "boards whose config.txt was changed")
    .action((options: DeployOptions & { reboot?: boolean }) =>
      play("provision", options, { lab_reboot: options.reboot === true }),
    );
  withPlaybook(
    program
      .command("deploy")
      .description("put a release, keys and images onto the nodes; a release that does not start is rolled back"),
  )
    .option("--releases <folder>", "of `npm run release`", "dist/release")
    .option("--images <folder>", "make tasks of these JPEG and PNG files instead of generated images")
    .action(deploy);
  withPlaybook(program.command("start").description("start the daemons, now and after each boot")).action(
    (options: DeployOptions) => play("start", options),
  );
  withPlaybook(program.command("stop").description("stop the daemons until `offload start`")).action(
    (options: DeployOptions) => play("stop", options),
  );
  withPlaybook(
    program.command("verify").description("daemons, releases and certificates of the lab, changing nothing"),
  ).action((options: DeployOptions) => play("verify", options));
  withPlaybook(
    program.command("rollback").description("back to the release before, on every node that has one"),
  ).action((options: DeployOptions) => play("rollback", options));
  withPlaybook(program.command("collect").description("bring the archives of runs from the C-BS"))
    .option("--runs <folder>", "where archives are", "runs")
    .action(collect);
  withPlaybook(
    program
      .command("remove")
      .description("take a node out of the lab and revoke its certificate")
      .argument("<node>", "name in the inventory"),
  ).action(remove);

  withLab(
    program
      .command("doctor")
      .description("every condition that the lab's boards must meet: found, expected, and what mends it")
      .argument("[nodes...]", "names in the inventory (default: all)"),
  )
    .option("--here", "this machine, as the node that is named, instead of asking over ssh")
    .option("--root <folder>", "with --here: another root of the machine's files")
    .option("--all", "list also what is as it should be")
    .action(doctor);

  const node = program.command("node").description("the machines of a lab").addHelpText("after", exitCodesHelp);
  withLab(node.command("ls").description("every node, and whether its daemon is connected")).action(nodeList);
  withLab(node.command("logs").description("what a node's daemon said").argument("<node>", "name in the inventory"))
    .option("--lines <n>", "how many of the last", positive, 50)
    .option("--follow", "go on until Ctrl-C")
    .action(nodeLogs);
  withLab(node.command("identify").description("blink a board's light").argument("<node>", "name in the inventory"))
    .option("--seconds <n>", "how long", positive, 10)
    .action(nodeIdentify);

  const ca = program.command("ca").description("the lab's certificate authority").addHelpText("after", exitCodesHelp);
  const withAuthority = (command: Command): Command =>
    command.addOption(authority()).addOption(format()).addHelpText("after", exitCodesHelp);
  withAuthority(ca.command("init").description("make the authority and the operator's identity")).action(caInit);
  withAuthority(
    ca
      .command("enrol")
      .description("certify a node's key; the request comes on standard input")
      .argument("<node>", "name in the inventory"),
  )
    .addOption(inventoryOption())
    .action(caEnrol);
  withAuthority(
    ca.command("revoke").description("a node's certificate is refused from now on").argument("<node>", "its name"),
  ).action(caRevoke);
  withAuthority(ca.command("ls").description("who is enrolled")).action(caList);
};
