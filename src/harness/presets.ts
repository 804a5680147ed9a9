import type { TrialCluster } from './trial-input.ts';

/** Shapes of clusters by name; `store` is etcd alone, for the consensus suites. */
const PRESETS: readonly TrialCluster[] = [
  { preset: 'docker-desktop', kubernetes: true, controlPlanes: 1, workers: 2, zones: 1 },
  { preset: 'ha', kubernetes: true, controlPlanes: 3, workers: 3, zones: 3 },
  { preset: 'kind', kubernetes: true, controlPlanes: 1, workers: 3, zones: 1 },
  { preset: 'lke', kubernetes: true, controlPlanes: 3, workers: 3, zones: 1 },
  { preset: 'single', kubernetes: true, controlPlanes: 1, workers: 1, zones: 1 },
  { preset: 'store', kubernetes: false, controlPlanes: 3, workers: 0, zones: 3 },
];

export function presetNames(): readonly string[] {
  return PRESETS.map((p) => p.preset);
}

export function clusterPreset(name: string): TrialCluster | undefined {
  return PRESETS.find((p) => p.preset === name);
}
