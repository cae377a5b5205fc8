import { randomStream } from "@offloadlab/model";
import type { Environment, Step } from "@offloadlab/simulation";

/** Where the cart is, metres from the middle, and the pole, radians from upright, with their speeds. */
export interface CartPoleState {
  readonly position: number;
  readonly speed: number;
  readonly angle: number;
  readonly angularSpeed: number;
}

const gravity = 9.8;
const cartMass = 1;
const poleMass = 0.1;
const totalMass = cartMass + poleMass;
const halfLength = 0.5;
const force = 10;
const timeStep = 0.02;
const farthest = 2.4;
const steepest = (12 * Math.PI) / 180;
const stepCount = 500;

/**
 * A pole to be balanced on a cart: Barto, Sutton & Anderson, Neuronlike adaptive elements that can solve difficult learning
 * control problems (IEEE SMC 13, 1983), with the numbers of Gymnasium's CartPole-v1.
 *
 * Pays 1 for each step. Terminates when the cart is farther than 2.4 m away or the pole leans by more than 12°, and is
 * truncated after 500 steps; after termination it stays as it is and pays nothing.
 */
export class CartPole implements Environment<Float64Array, ArrayLike<number>> {
  /** Position, speed, angle, angular speed. */
  readonly observation = new Float64Array(4);
  #steps = 0;
  #hasFallen = false;

  reset(seed: number): Float64Array {
    const random = randomStream(seed, "cart-pole");
    const [position, speed, angle, angularSpeed] = Array.from({ length: 4 }, () => random.uniform(-0.05, 0.05)) as [
      number,
      number,
      number,
      number,
    ];
    return this.begin({ position, speed, angle, angularSpeed });
  }

  /** Begins an episode where one says. */
  begin({ position, speed, angle, angularSpeed }: CartPoleState): Float64Array {
    this.#steps = 0;
    this.#hasFallen = false;
    this.observation.set([position, speed, angle, angularSpeed]);
    return this.observation;
  }

  /** @param action [1], to the right above 0, else to the left */
  step(action: ArrayLike<number>): Step {
    const reward = this.#hasFallen ? 0 : 1;
    if (!this.#hasFallen) this.#push((action[0] as number) > 0 ? force : -force);
    this.#steps++;
    const [position = 0, , angle = 0] = this.observation;
    this.#hasFallen ||= Math.abs(position) > farthest || Math.abs(angle) > steepest;
    return {
      reward,
      rewards: Float64Array.of(reward),
      terminated: this.#hasFallen,
      truncated: this.#steps >= stepCount,
    };
  }

  /** Euler's method: places move with the speeds before the push. */
  #push(push: number): void {
    const [position = 0, speed = 0, angle = 0, angularSpeed = 0] = this.observation;
    const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
    const pull = (push + poleMass * halfLength * angularSpeed ** 2 * sine) / totalMass;
    const angularAcceleration =
      (gravity * sine - cosine * pull) / (halfLength * (4 / 3 - (poleMass * cosine ** 2) / totalMass));
    const acceleration = pull - (poleMass * halfLength * angularAcceleration * cosine) / totalMass;
    this.observation.set([
      position + timeStep * speed,
      speed + timeStep * acceleration,
      angle + timeStep * angularSpeed,
      angularSpeed + timeStep * angularAcceleration,
    ]);
  }
}
