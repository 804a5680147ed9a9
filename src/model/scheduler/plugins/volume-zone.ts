import type { FilterPlugin } from '../framework.ts';
import { refusal } from '../status.ts';
import { claimNames } from '../volume-binder.ts';

const name = 'VolumeZone';
const conflict = refusal(name, 'UnschedulableAndUnresolvable', 'node(s) had no available volume zone');
const topologyLabels = [
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
];

/** Volumes that carry a zone label are reached from that zone only (several zones are joined by `__`). */
export const volumeZone: FilterPlugin = {
  name,
  prepareFilter: (pod, view) => {
    const { volumes } = view;
    if (volumes === undefined) return 'skip';
    const demands: { readonly key: string; readonly values: ReadonlySet<string> }[] = [];
    for (const claimName of claimNames(pod.pod)) {
      const volumeName = volumes.claim(pod.pod.metadata.namespace ?? '', claimName)?.spec?.volumeName;
      const labels = volumeName === undefined ? undefined : volumes.volume(volumeName)?.metadata.labels;
      for (const key of topologyLabels) {
        const text = labels?.[key];
        if (text !== undefined) demands.push({ key, values: new Set(text.split('__')) });
      }
    }
    if (demands.length === 0) return 'skip';
    return {
      filter: (node) => {
        // A node without any zone label is in a cluster without zones.
        if (!topologyLabels.some((key) => node.labels[key] !== undefined)) return undefined;
        for (const { key, values } of demands) if (!values.has(node.labels[key] ?? '')) return conflict;
        return undefined;
      },
    };
  },
  mayHelp: (_pod, event) => event.kind === 'volumes' || event.kind === 'node',
};
