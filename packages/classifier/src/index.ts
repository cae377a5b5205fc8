export type { Card } from "./card.ts";
export { readCard } from "./card.ts";
export { type Classification, type Classifier, openClassifier } from "./classifier.ts";
export { inferenceCount } from "./cycles.ts";
export { decodeImage } from "./decode.ts";
export { type ImageSet, readImageSet } from "./image-set.ts";
export { generateImage, imageSet } from "./images.ts";
export { type Compute, emulatedCompute, measuredCompute } from "./inference-processor.ts";
export { embeddedModel } from "./paths.ts";
