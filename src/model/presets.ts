import type { ClusterSpec } from './cluster-spec.ts';

/** Shapes of clusters by name. `store` is etcd alone, for the consensus suites. */
export const CLUSTER_PRESETS: readonly ClusterSpec[] = [
  { preset: 'docker-desktop', kubernetes: true, controlPlanes: 1, workers: 2, zones: 1 },
  { preset: 'ha', kubernetes: true, controlPlanes: 3, workers: 3, zones: 3 },
  { preset: 'kind', kubernetes: true, controlPlanes: 1, workers: 3, zones: 1 },
  // Linode runs the control plane; its nodes sit in one data centre.
  { preset: 'lke', kubernetes: true, controlPlanes: 3, workers: 3, zones: 1 },
  { preset: 'single', kubernetes: true, controlPlanes: 1, workers: 1, zones: 1 },
  { preset: 'store', kubernetes: false, controlPlanes: 3, workers: 0, zones: 3 },
];

/** The preset of that name. @throws Error that lists the valid names. */
export function clusterPreset(name: string): ClusterSpec {
  const found = CLUSTER_PRESETS.find((preset) => preset.preset === name);
  if (found === undefined)
    throw new Error(`no cluster preset ${name}; there are: ${CLUSTER_PRESETS.map((preset) => preset.preset).join(', ')}`);
  return found;
}
