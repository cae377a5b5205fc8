import { checkEnvironment, type Environment } from "@offloadlab/simulation";
import { expect, it } from "vitest";
import { CartPole } from "./learning/cart-pole.ts";
import { Pendulum } from "./learning/pendulum.ts";

// The worlds of `npm run gates`. Their numbers are those of Gymnasium 1.3.0, from the same states with the same actions.

const worlds: [name: string, environment: Environment<Float64Array, ArrayLike<number>>, longestEpisode: number][] = [
  ["Pendulum", new Pendulum(), 200],
  ["CartPole", new CartPole(), 500],
];

it.each(worlds)("%s keeps the contract of an environment", (_, environment, longestEpisode) => {
  const problems = checkEnvironment(environment, {
    observationNumbers: (observation) => [...observation],
    actionNumbers: (action) => Array.from(action),
    drawAction: (_observation, random) => Float64Array.of(random.uniform(-1, 1)),
    longestEpisode,
  });
  expect(problems).toEqual([]);
});

it("Pendulum moves and pays as Gymnasium's does", () => {
  const pendulum = new Pendulum();
  pendulum.begin({ angle: 2.5, speed: -0.7 });
  // After each step: angle, speed, reward. A torque of 3 is more than it takes.
  const expected: Readonly<Record<number, readonly number[]>> = {
    1: [2.4911927054038983, -0.17614589192203256, -6.29925],
    2: [2.4900918389176554, -0.022017329724858814, -6.213143832981697],
    3: [2.5267302411048487, 0.7327680437438692, -6.20460584252513],
    40: [2.8217439495134924, 2.411257489530357, -7.62133489379732],
  };
  const torques = [0.5, -2, 2, 3, -0.25, 1];
  for (let step = 1; step <= 40; step++) {
    const { reward } = pendulum.step([(torques[(step - 1) % torques.length] as number) / 2]);
    const numbers = [pendulum.state.angle, pendulum.state.speed, reward];
    for (const [i, value] of expected[step]?.entries() ?? []) expect(numbers[i]).toBeCloseTo(value, 6);
  }
});

it("Pendulum hangs where it hangs, and pays for it; upright costs nothing", () => {
  const pendulum = new Pendulum();
  pendulum.begin({ angle: Math.PI, speed: 0 });
  expect(pendulum.step([0]).reward).toBeCloseTo(-(Math.PI ** 2), 6);
  expect(pendulum.state.angle).toBeCloseTo(Math.PI, 6);
  pendulum.begin({ angle: 4 * Math.PI, speed: 0 });
  expect(pendulum.step([0]).reward).toBeCloseTo(0, 12);
});

it("CartPole moves and terminates as Gymnasium's does", () => {
  const cart = new CartPole();
  cart.begin({ position: 0.01, speed: -0.02, angle: 0.03, angularSpeed: 0.04 });
  const expected: Readonly<Record<number, readonly number[]>> = {
    1: [0.0096, 0.17467919574755525, 0.0308, -0.2430687179600081],
    2: [0.013093583914951107, 0.3693479760579556, 0.025938625640799837, -0.5258796280501483],
    20: [0.15840495669094093, 0.38180909472034796, -0.1958440974236082, -0.8147948855594903],
    21: [0.16604113858534789, 0.5789960715179743, -0.212139995134798, -1.1621319433574029],
  };
  const pushes = [1, 1, -1, 1, -1, -1, 1];
  for (let step = 1; step <= 21; step++) {
    const { reward, terminated } = cart.step([pushes[(step - 1) % pushes.length] as number]);
    expect([reward, terminated]).toEqual([1, step === 21]);
    for (const [i, value] of expected[step]?.entries() ?? []) expect(cart.observation[i]).toBeCloseTo(value, 9);
  }
});
