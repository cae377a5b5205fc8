import { parseDocument } from "yaml";

const quickEpochs = { training: 24, evaluation: 4 };

/** A manifest for a look: one seed, a few epochs; whoever joins does so at the same part of the training. */
export const quickManifest = (text: string): string => {
  const document = parseDocument(text);
  document.set("repetitions", 1);
  document.set("epochs", quickEpochs.evaluation);
  const before = Number(document.getIn(["training", "epochs"]) ?? quickEpochs.training);
  document.setIn(["training", "epochs"], quickEpochs.training);
  const joins = (document.toJS() as { training?: { joins?: Record<string, number> } }).training?.joins ?? {};
  for (const [community, epoch] of Object.entries(joins)) {
    document.setIn(["training", "joins", community], Math.ceil((epoch * quickEpochs.training) / before));
  }
  return document.toString();
};
