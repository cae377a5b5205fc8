import type { Expression } from "./graph/expression.ts";
import type { Engine, Program } from "./graph/program.ts";

/** The programs of an agent, each opened when it is first needed. */
export class Programs {
  readonly #engine: Engine;
  readonly #opened = new Map<string, Promise<Program>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @param outputs written only when no program of this name is open */
  open(name: string, outputs: () => Readonly<Record<string, Expression>>): Promise<Program> {
    const known = this.#opened.get(name) ?? this.#engine.open(name, outputs());
    this.#opened.set(name, known);
    return known;
  }

  async close(): Promise<void> {
    for (const program of this.#opened.values()) await (await program).close();
    this.#opened.clear();
  }
}
