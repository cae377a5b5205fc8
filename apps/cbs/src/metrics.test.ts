import type { LiveSnapshot } from "@offloadlab/protocol";
import { expect, test } from "vitest";
import { stationMetrics } from "./metrics.ts";

test("tells Prometheus of rounds, refusals, losses, λ and bytes", async () => {
  const member = { node: "mec-1", took: true, uploadBytes: 1000, updates: 4 };
  const losses = { actor: -1, critic1: 0.25, critic2: null };
  const members = [{ ...member, losses, proximalWeights: { actor: 0.1 } }];
  const snapshot: LiveSnapshot = {
    run: null,
    communities: [],
    results: [],
    learning: [],
    answers: [],
    federations: [
      {
        policy: "pfr-oa",
        nodes: ["mec-1"],
        networks: ["actor", "critic1", "critic2"],
        greedyProbability: 1,
        globalShare: 0.3,
        open: null,
        rounds: [{ round: 3, trial: 9, state: "averaged", reason: null, modelBytes: 900, members }],
        averagedRounds: 2,
        skippedRounds: 1,
        refusals: { "mec-1": { "update/late": 4 } },
        starved: [],
      },
    ],
  };
  const text = await stationMetrics(() => snapshot).metrics();
  for (const line of [
    'offloadlab_federation_rounds{policy="pfr-oa",state="averaged"} 2',
    'offloadlab_federation_rounds{policy="pfr-oa",state="skipped"} 1',
    'offloadlab_federation_refused_updates{policy="pfr-oa",node="mec-1",code="update/late"} 4',
    'offloadlab_federation_loss{policy="pfr-oa",node="mec-1",network="critic1"} 0.25',
    'offloadlab_federation_proximal_weight{policy="pfr-oa",node="mec-1",network="actor"} 0.1',
    'offloadlab_federation_upload_bytes{policy="pfr-oa",node="mec-1"} 1000',
  ]) {
    expect(text.split("\n")).toContain(line);
  }
  expect(text).not.toContain('network="critic2"');
});
