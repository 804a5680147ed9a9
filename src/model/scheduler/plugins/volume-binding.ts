import type { FilterPlugin } from '../framework.ts';
import { refusal } from '../status.ts';
import { claimNames, planVolumes, podClaims, volumeFitsNode } from '../volume-binder.ts';

const name = 'VolumeBinding';
const noVolume = refusal(name, 'UnschedulableAndUnresolvable', "node(s) didn't find available persistent volumes to bind");
const wrongNode = refusal(name, 'UnschedulableAndUnresolvable', "node(s) didn't match PersistentVolume's node affinity");
const unbound = refusal(name, 'UnschedulableAndUnresolvable', 'pod has unbound immediate PersistentVolumeClaims');

/** Claims that are bound must reach the node; those that wait for a consumer must find a volume there. KEP-490. */
export const volumeBinding: FilterPlugin = {
  name,
  prepareFilter: (pod, view) => {
    const { volumes } = view;
    if (volumes === undefined || claimNames(pod.pod).length === 0) return 'skip';
    const claims = podClaims(pod.pod, volumes);
    if (typeof claims === 'string')
      return refusal(name, 'UnschedulableAndUnresolvable', `persistentvolumeclaim ${JSON.stringify(claims)} not found`);
    if (claims.immediate.length > 0) return unbound;
    return {
      filter: (node) => {
        for (const claim of claims.bound) {
          const volume = volumes.volume(claim.spec?.volumeName ?? '');
          if (volume === undefined || !volumeFitsNode(volume, node)) return wrongNode;
        }
        return planVolumes(claims, node, volumes) === undefined ? noVolume : undefined;
      },
    };
  },
  mayHelp: (_pod, event) => event.kind === 'volumes' || event.kind === 'node',
};
