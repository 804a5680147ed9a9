import type { FilterPlugin } from '../framework.ts';
import { refusal } from '../status.ts';
import { claimNames } from '../volume-binder.ts';

const name = 'VolumeRestrictions';
const inUse = refusal(
  name,
  'Unschedulable',
  'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode',
);

/** A ReadWriteOncePod claim serves one pod in the whole cluster (KEP-2485). */
export const volumeRestrictions: FilterPlugin = {
  name,
  prepareFilter: (pod, view) => {
    const { volumes } = view;
    const names = claimNames(pod.pod);
    if (volumes === undefined || names.length === 0) return 'skip';
    const exclusive = new Set<string>();
    for (const claimName of names) {
      const claim = volumes.claim(pod.pod.metadata.namespace ?? '', claimName);
      if (claim === undefined)
        return refusal(name, 'UnschedulableAndUnresolvable', `persistentvolumeclaim ${JSON.stringify(claimName)} not found`);
      if (claim.spec?.accessModes?.includes('ReadWriteOncePod') === true) exclusive.add(claimName);
    }
    if (exclusive.size === 0) return 'skip';
    const namespace = pod.pod.metadata.namespace;
    const uses = view.nodes.some((node) =>
      [...node.pods.values()].some(
        (other) => other.pod.metadata.namespace === namespace && claimNames(other.pod).some((claim) => exclusive.has(claim)),
      ),
    );
    return { filter: () => (uses ? inUse : undefined) };
  },
  mayHelp: (pod, event) =>
    event.kind === 'volumes' || (event.kind === 'pod-deleted' && event.pod.metadata.namespace === pod.pod.metadata.namespace),
};
