import { expect, it } from 'vitest';
import { loadManifests } from './manifests.ts';
import { ownFile } from './own-files.ts';
import { loadScenario } from './scenario-file.ts';
import { runTask } from './trial-task.ts';

/** Seeds in which seatrial itself was wrong once. What they do may change with any change of the model; as long as it does not, they stay right. */
const FOUND: readonly (readonly [scenario: string, seed: string, was: string])[] = [
  ['leader-churn', '0x20022ae', 'a log that was rebuilt from facts kept an entry that had never been synced'],
  [
    'store-resize',
    '0x2000014',
    'a leader proposed twice to leave a joint configuration, because raft went on before the change was applied',
  ],
  ['store-resize', '0x4001115', 'a write was acknowledged by a majority that was there one after the other, and called a split brain'],
  ['store-upkeep', '0x4000137', 'a member that was just elected asked itself without end whether it leads'],
  ['store-upkeep', '0x20002f9', 'a watch that was refused as the member became ready read its own messages without end'],
];

it.each(FOUND)('%s %s: %s', (name, seed) => {
  const scenario = loadScenario(ownFile(`scenarios/${name}.yaml`));
  const outcome = runTask({ scenarios: [{ scenario, manifests: loadManifests(scenario.apply) }], defects: [] }, { scenario: 0, seed });
  expect([outcome.status, outcome.violations.map((violation) => violation.witness.sentence)]).toEqual(['passed', []]);
});
