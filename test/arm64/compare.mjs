// Compares two outputs of update.ts: the second is of an arm64 processor, and its numbers are the first's.
const [here, there] = process.argv.slice(2, 4).map((text) => JSON.parse(text));
const numbers = ({ losses, actor, critic }) => [...losses, actor, critic];
const worst = Math.max(...numbers(here).map((value, i) => Math.abs(value - numbers(there)[i]) / Math.abs(value)));
// Single precision, summed in another order.
if (there.processor !== "arm64" || !(worst < 1e-4)) {
  console.error(`expected ${JSON.stringify(here)} of arm64, got ${JSON.stringify(there)}`);
  process.exit(1);
}
