import { randomStream } from "@offloadlab/model";
import type { Environment, Step } from "@offloadlab/simulation";

/** θ from upright, radians, and its speed, radians per second. */
export interface PendulumState {
  readonly angle: number;
  readonly speed: number;
}

const gravity = 10;
const length = 1;
const mass = 1;
const timeStep = 0.05;
const largestSpeed = 8;
const largestTorque = 2;
const stepCount = 200;

/**
 * A pendulum to be swung up and held, Gymnasium's Pendulum-v1.
 *
 * θ'' = 3g / (2l) sin θ + 3 / (m l²) u, from anywhere with up to 1 rad/s. Pays −(θ² + θ'² / 10 + u² / 1000), θ in [−π, π),
 * and is truncated after 200 steps.
 *
 * Differs: an action is in [−1, 1], parts of the largest torque.
 */
export class Pendulum implements Environment<Float64Array, ArrayLike<number>> {
  /** cos θ, sin θ, θ' */
  readonly observation = new Float64Array(3);
  #angle = 0;
  #speed = 0;
  #steps = 0;

  reset(seed: number): Float64Array {
    const random = randomStream(seed, "pendulum");
    return this.begin({ angle: random.uniform(-Math.PI, Math.PI), speed: random.uniform(-1, 1) });
  }

  /** Begins an episode where one says. */
  begin({ angle, speed }: PendulumState): Float64Array {
    this.#steps = 0;
    this.#move(angle, speed);
    return this.observation;
  }

  get state(): PendulumState {
    return { angle: this.#angle, speed: this.#speed };
  }

  /** @param action [1], in [−1, 1] */
  step(action: ArrayLike<number>): Step {
    const torque = clamped(action[0] as number, 1) * largestTorque;
    const cost = normalised(this.#angle) ** 2 + 0.1 * this.#speed ** 2 + 0.001 * torque ** 2;
    const acceleration = ((3 * gravity) / (2 * length)) * Math.sin(this.#angle) + (3 / (mass * length ** 2)) * torque;
    const speed = clamped(this.#speed + acceleration * timeStep, largestSpeed);
    this.#move(this.#angle + speed * timeStep, speed);
    this.#steps++;
    return {
      reward: -cost,
      rewards: Float64Array.of(-cost),
      terminated: false,
      truncated: this.#steps >= stepCount,
    };
  }

  #move(angle: number, speed: number): void {
    this.#angle = angle;
    this.#speed = speed;
    this.observation.set([Math.cos(angle), Math.sin(angle), speed]);
  }
}

const clamped = (value: number, limit: number): number => Math.min(Math.max(value, -limit), limit);

/** The same angle in [−π, π). */
const normalised = (angle: number): number => angle - 2 * Math.PI * Math.floor((angle + Math.PI) / (2 * Math.PI));
