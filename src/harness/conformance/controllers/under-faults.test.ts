import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedPath } from '../../../../test/shared.ts';
import type { Recording } from './recording.ts';
import { runUnderFaults } from './under-faults.ts';
import { UNJUDGED } from './unjudged-under-faults.ts';

const folders = ['goldens/controllers', 'goldens/scheduler'].flatMap((name) => sharedPath(name) ?? []);
/** All seeds of all scenarios take hours: SEATRIAL_LONG=1 runs 200 seeds of those below, SEATRIAL_LONG=all of every one. */
const long = process.env['SEATRIAL_LONG'];
const SEEDS = long === undefined ? 2 : 200;

/** One or two of every controller, and of the scheduler. */
const SUBSET: readonly string[] = [
  'daemonset-roll-surge',
  'deployment-roll-25-25-r10',
  'deployment-roll-s1-u0',
  'deployment-rollover',
  'endpointslice-rolling',
  'gc-foreground',
  'job-completions',
  'namespace-delete-finalizer',
  'pdb-max-1',
  'quota-exceeded',
  'replicaset-self-heal',
  'scheduler-requeue-capacity',
  'statefulset-roll',
];

describe.skipIf(folders.length === 0)('recorded scenarios under random faults end as recorded (skipped without ../shared/goldens)', () => {
  const recordings = new Map<string, Recording>();
  for (const folder of folders) {
    for (const file of readdirSync(folder)) {
      if (!file.endsWith('.json')) continue;
      const recording = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Recording;
      if (recording.outcome !== undefined) recordings.set(recording.name, recording);
    }
  }

  it('names only scenarios that exist', () => {
    expect([...SUBSET, ...Object.keys(UNJUDGED)].filter((name) => !recordings.has(name))).toEqual([]);
  });

  const chosen = long === 'all' ? [...recordings.keys()].filter((name) => UNJUDGED[name] === undefined) : SUBSET;
  for (const name of chosen) {
    it(`${name}, ${SEEDS} seeds`, { timeout: 1_000_000 }, () => {
      const recording = recordings.get(name);
      if (recording === undefined) return;
      expect(runUnderFaults(recording, undefined).differences).toEqual([]);
      for (let seed = 0; seed < SEEDS; seed++) {
        const { differences, faults } = runUnderFaults(recording, String(seed));
        expect({ seed, differences, faults: differences.length === 0 ? [] : faults }).toEqual({ seed, differences: [], faults: [] });
      }
    });
  }

  it('another end than the recorded one is a difference', () => {
    const recording = recordings.get('deployment-roll-s1-u0');
    if (recording === undefined) return;
    const changed = JSON.parse(JSON.stringify(recording).replaceAll('"readyReplicas":3', '"readyReplicas":2')) as Recording;
    expect(JSON.stringify(changed)).not.toBe(JSON.stringify(recording));
    expect(runUnderFaults(changed, '0').differences).not.toEqual([]);
    const { [Object.keys(recording.outcome).find((key) => key.startsWith('Pod/')) ?? '']: _pod, ...rest } = recording.outcome;
    expect(runUnderFaults({ ...recording, outcome: rest }, '0').differences).not.toEqual([]);
  });
});
