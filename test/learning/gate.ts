import type { Agent } from "@offloadlab/learning";
import { expect } from "vitest";
import { meanReturn, type Task, type TrainingPlan, train } from "./training.ts";

const seeds = [1, 2, 3, 4, 5];
const enough = 4;
const episodes = 100;

/**
 * Trains an agent of each seed, prints what it earns in 100 episodes without exploration, and expects that 4 of 5 earn
 * enough. The last policy counts, whatever a better one came before.
 */
export const expectReturns = async (
  name: string,
  task: Task,
  plan: TrainingPlan,
  open: (seed: number) => Agent,
  least: number,
): Promise<void> => {
  const returns: number[] = [];
  for (const seed of seeds) {
    const agent = open(seed);
    await train(agent, task, plan, seed);
    returns.push(meanReturn(agent, task, episodes, seed));
    await agent.close();
  }
  console.log(`${name}: mean returns ${returns.map((value) => value.toFixed(1)).join(", ")}; at least ${least} wanted`);
  expect(returns.filter((value) => value >= least).length).toBeGreaterThanOrEqual(enough);
};
