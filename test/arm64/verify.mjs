// Checks the archive of a lab whose MEC and ED ran on emulated boards, from its files.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [folder] = process.argv.slice(2);
const journal = (node) =>
  readFileSync(join(folder, `journals/${node}.ndjson`), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const problems = [];
const expect = (holds, what) => holds || problems.push(what);
for (const node of ["ed-1-1", "mec-1"]) {
  const environment = JSON.parse(readFileSync(join(folder, `environment/${node}.json`), "utf8"));
  expect(environment.architecture === "arm64", `${node}: expected arm64, got ${environment.architecture}`);
  expect(
    environment.node_version.startsWith("v22."),
    `${node}: expected the runtime's Node 22, got ${environment.node_version}`,
  );
  expect(environment.inference === "process", `${node}: expected inference in a process`);
  expect(environment.commit?.length === 40, `${node}: expected the release's commit, got ${environment.commit}`);
}
const outcomes = journal("ed-1-1").filter(({ kind, trial }) => kind === "outcome" && trial > 0);
const services = journal("mec-1").filter(({ kind }) => kind === "service");
// The trials are paired: the same tasks come in each.
const isServed = (end) => services.some(({ task, trial }) => task === end.task && trial === end.trial);
const edge = outcomes.filter(isServed);
const local = outcomes.filter((end) => end.label !== null && !isServed(end));
for (const [name, tasks] of [
  ["offloaded", edge],
  ["local", local],
]) {
  const right = tasks.filter(({ label, expectedLabel }) => label === expectedLabel).length;
  console.log(
    `${name}: ${tasks.length} tasks, ${right} labels right, ${tasks.filter(({ outcome }) => outcome.startsWith("completed")).length} in time`,
  );
  expect(tasks.length > 0 && right >= 0.7 * tasks.length, `expected ${name} tasks with the right labels`);
}
expect(
  outcomes.every(({ outcome }) => outcome !== "lost"),
  "expected no task to be lost",
);
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
