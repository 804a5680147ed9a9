import type { PlannedFault, TrialInput } from './trial-input.ts';
import { VERSIONS } from './versions.ts';

/** A short trial of a bare store, for tests. */
export function storeTrial(changes: Partial<TrialInput> = {}): TrialInput {
  return {
    formatVersion: 1,
    scenario: 'test',
    seed: '0x1',
    versions: VERSIONS,
    cluster: { preset: 'store', kubernetes: false, controlPlanes: 3, workers: 0, zones: 3 },
    featureGates: {},
    defects: [],
    manifests: [],
    workload: { traffic: [], store: { clients: 2, keys: 2, perSecond: 10, watches: 1 } },
    swarm: { tiePolicy: { kind: 'pct', jitterUs: 20, changeOneIn: 5 } },
    timing: { applyAtMs: 5000, chaosFromMs: 5000, healAtMs: 15_000, settleMs: 60_000 },
    faults: [],
    operations: [],
    core: { outside: [] },
    require: ['raft-election-safety'],
    ...changes,
  };
}

export function planned(id: string, params: PlannedFault['params'] & { readonly [name: string]: unknown }, atMs = 6000): PlannedFault {
  return { id, atMs, forMs: 2000, params };
}
