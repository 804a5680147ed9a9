import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedPath } from '../../../../test/shared.ts';
import type { Recording } from './recording.ts';
import { runControllerScenario } from './run-scenario.ts';

const folder = sharedPath('goldens/controllers');
const race = 'a race of controllers within a tenth of a second, which the recorded machine decided otherwise';

/** Known misses, with their reason. */
const misses: { readonly [name: string]: string } = {
  'daemonset-roll-broken': 'the recording lacks one Scheduled event that the pod must have had',
  'deployment-delete-rolling': race,
  'deployment-proportional-down': race,
  'deployment-quota-roll': 'the time of the quota retry differs between the passes, and the stories mix them',
  'deployment-roll-s2-u1-r5': 'one step more, so one event more is combined',
  'deployment-rollover-back': race,
  'drain-blocked': race,
  'endpointslice-120': 'which of 120 equal pods was ready first',
  'endpointslice-rolling': 'which of equal pods went first, seen in Endpoints only',
  'job-invalid': 'generated uids in a message, which the recording wrote as <uuid>',
  'job-parallelism-change': 'pods that end within the batch period before a change of the spec',
  'pv-retain': 'the volume controller retries once more before the end',
  'replicaset-rank-node': 'which of equal pods goes first',
};

const scenarios =
  folder === undefined
    ? []
    : readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .map((name) => name.replace('.json', ''))
        .sort();
const all = process.env['SEATRIAL_LONG'] === '1';

describe.skipIf(folder === undefined)('controller recordings', () => {
  // Every fifth in the short run, all of them in the long one.
  for (const [index, name] of scenarios.entries()) {
    it.skipIf(misses[name] !== undefined || (!all && index % 5 !== 0))(name, () => {
      const recording = JSON.parse(readFileSync(join(folder ?? '', `${name}.json`), 'utf8')) as Recording;
      expect(runControllerScenario(recording)).toEqual([]);
    });
  }
});
