import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sharedPath } from '../../../../test/shared.ts';
import { runInstanceUnderFaults } from '../scheduler/instance-under-faults.ts';
import type { RandomInstance } from '../scheduler/random-instance.ts';
import type { Recording } from './recording.ts';
import { type FaultedRun, runUnderFaults } from './under-faults.ts';
import { UNJUDGED } from './unjudged-under-faults.ts';

/** One or two of every controller, and of the scheduler: how many seeds of each SEATRIAL_LONG=1 runs. */
const TABLE: Readonly<Record<string, number>> = {
  'daemonset-roll-surge': 200,
  'deployment-roll-25-25-r10': 200,
  'deployment-roll-s1-u0': 200,
  'deployment-rollover': 200,
  'endpointslice-rolling': 200,
  'gc-foreground': 200,
  'job-completions': 200,
  'namespace-delete-finalizer': 200,
  'pdb-max-1': 200,
  'quota-exceeded': 200,
  'replicaset-self-heal': 200,
  'scheduler-requeue-capacity': 200,
  'statefulset-roll': 200,
  'hpa-down-stabilised': 20,
  'hpa-zero-replicas': 20,
  'random-001': 20,
};
/** Without SEATRIAL_LONG: so many of every one of the table. */
const SEEDS_SHORT = 2;
/** With SEATRIAL_LONG=all: so many of every one that can be judged, which takes hours. */
const SEEDS_ALL = 20;

const folders = ['goldens/controllers', 'goldens/scheduler'].flatMap((name) => sharedPath(name) ?? []);
const long = process.env['SEATRIAL_LONG'];
const seedsWanted = process.env['SEATRIAL_SEEDS'];
if (seedsWanted !== undefined && !/^[1-9]\d*$/.test(seedsWanted))
  throw new Error(`SEATRIAL_SEEDS: ${JSON.stringify(seedsWanted)} is not a number of seeds; give one from 1 on`);

function seedsOf(name: string): number {
  if (seedsWanted !== undefined) return Number(seedsWanted);
  if (long === 'all') return SEEDS_ALL;
  return long === undefined ? SEEDS_SHORT : (TABLE[name] ?? 0);
}

interface Failure extends FaultedRun {
  readonly seed: number;
}

describe.skipIf(folders.length === 0)('recorded scenarios under random faults end as recorded (skipped without ../shared/goldens)', () => {
  const recordings = new Map<string, Recording>();
  const instances = new Map<string, RandomInstance>();
  const others: string[] = [];
  for (const folder of folders) {
    for (const file of readdirSync(folder)) {
      if (!file.endsWith('.json')) continue;
      const read = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Recording | RandomInstance;
      if ('outcome' in read) recordings.set(read.name, read);
      else if ('decisions' in read) instances.set(read.name, read);
      else others.push(file);
    }
  }
  const names = [...recordings.keys(), ...instances.keys()];
  const run = (name: string, seed: string | undefined): FaultedRun => {
    const instance = instances.get(name);
    if (instance !== undefined) return runInstanceUnderFaults(instance, seed);
    const recording = recordings.get(name);
    if (recording === undefined) throw new Error(`no recording is called ${name}`);
    return runUnderFaults(recording, seed);
  };

  it('every recording is judged, or there is a reason why not', () => {
    expect([...Object.keys(TABLE), ...Object.keys(UNJUDGED)].filter((name) => !names.includes(name))).toEqual([]);
    expect(others).toEqual([]);
  });

  for (const name of long === 'all' ? names.filter((each) => UNJUDGED[each] === undefined) : Object.keys(TABLE)) {
    const seeds = seedsOf(name);
    it(`${name}, ${seeds} seeds`, { timeout: 1_000_000 }, () => {
      expect(run(name, undefined).differences).toEqual([]);
      const failures: Failure[] = [];
      for (let seed = 0; seed < seeds; seed++) {
        const end = run(name, String(seed));
        if (end.differences.length > 0) failures.push({ seed, ...end });
      }
      expect({ asRecorded: `${seeds - failures.length} of ${seeds}`, failures }).toEqual({
        asRecorded: `${seeds} of ${seeds}`,
        failures: [],
      });
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

  it('other metrics than the recorded ones scale to another end', () => {
    const recording = recordings.get('hpa-down-stabilised');
    if (recording === undefined) return;
    const steps = recording.steps.map((step) => (step.op === 'metrics' ? { ...step, metrics: { totalCpu: 300 } } : step));
    expect(runUnderFaults({ ...recording, steps }, '0').differences).not.toEqual([]);
  });
});
