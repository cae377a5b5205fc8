import { expect, it } from "vitest";
import { carry } from "./carrier.ts";

const program = new URL("./carrier-echo.test-helper.mjs", import.meta.url);

it.each(["thread", "process"] as const)(
  "a %s hears everything that it was told, in order, also before it listened, and ends",
  async (on) => {
    const carrier = carry<number | "end", unknown>(program, on, "the echo's", Float32Array.of(7));
    const answers: unknown[] = [];
    const ended = new Promise<string>((resolve) => carrier.onEnd(resolve));
    const answered = new Promise<void>((resolve) =>
      carrier.onAnswer((answer) => {
        answers.push(answer);
        if (answers.length === 3) resolve();
      }),
    );
    for (const request of [1, 2, 3]) carrier.post(request);
    await answered;
    expect(answers).toEqual([1, 2, 3].map((request) => ({ data: Float32Array.of(7), request })));
    carrier.post("end");
    expect(await ended).toBe(`the echo's ${on} ended with code 0`);
  },
);

it("a process that is ended ends at once, and says by which signal", async () => {
  const carrier = carry(program, "process", "the echo's", null);
  const ended = new Promise<string>((resolve) => carrier.onEnd(resolve));
  carrier.end();
  expect(await ended).toBe("the echo's process ended with SIGKILL");
});
