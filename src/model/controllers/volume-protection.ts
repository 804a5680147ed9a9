import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../api/types.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey } from '../client/reflector.ts';
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS } from '../client/resources.ts';
import { isNotFound } from '../client/result.ts';
import { type ReconcileError, runWorkers, WorkQueue } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import type { ControllerContext, ControllerRow } from './context.ts';

const CLAIM_FINALIZER = 'kubernetes.io/pvc-protection';
const VOLUME_FINALIZER = 'kubernetes.io/pv-protection';

/** Names of the claims that a pod's volumes use, those of its ephemeral volumes included. */
function claimsOf(pod: Pod): readonly string[] {
  const names: string[] = [];
  for (const volume of pod.spec.volumes ?? []) {
    if (volume.persistentVolumeClaim !== undefined) names.push(`${pod.metadata.namespace}/${volume.persistentVolumeClaim.claimName}`);
    else if (volume.ephemeral !== undefined) names.push(`${pod.metadata.namespace}/${pod.metadata.name}-${volume.name}`);
  }
  return names;
}

/** A claim in use by a pod on a node is not removed: pkg/controller/volume/pvcprotection. */
export const claimProtectionController: ControllerRow = {
  name: 'persistentvolumeclaim-protection-controller',
  start(context: ControllerContext): void {
    const claims: Informer<PersistentVolumeClaim> = context.informer(PERSISTENT_VOLUME_CLAIMS);
    const pods: Informer<Pod> = context.informer(PODS);
    const queue = new WorkQueue(context.process);
    pods.addIndex('claims', claimsOf);
    const needsWork = (claim: PersistentVolumeClaim) => {
      const has = claim.metadata.finalizers?.includes(CLAIM_FINALIZER) === true;
      if ((claim.metadata.deletionTimestamp !== undefined) === has) queue.add(objectKey(claim));
    };
    claims.addHandler({ onAdd: needsWork, onUpdate: (_, claim) => needsWork(claim) });
    const freed = (pod: Pod, isDeleted: boolean) => {
      const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
      if (!isDeleted && !ended && (pod.spec.nodeName ?? '') !== '') return;
      for (const key of claimsOf(pod)) queue.add(key);
    };
    pods.addHandler({ onUpdate: (_, pod) => freed(pod, false), onDelete: (pod) => freed(pod, true) });
    function* isUsed(key: string, namespace: string): Task<boolean | { readonly message: string }> {
      // A pod without a node does not count: no kubelet starts a pod whose claim is being deleted.
      const uses = (pod: Pod) => (pod.spec.nodeName ?? '') !== '' && claimsOf(pod).includes(key);
      if (pods.byIndex('claims', key).some(uses)) return true;
      // The cache may lag: asked of the API server before the claim goes.
      const live = yield* context.client.resource(PODS).list(namespace);
      return live.ok ? live.object.items.some(uses) : live;
    }
    function* sync(key: string): Task<ReconcileError> {
      const claim = claims.get(key);
      if (claim === undefined) return undefined;
      const finalizers = claim.metadata.finalizers ?? [];
      const has = finalizers.includes(CLAIM_FINALIZER);
      let next: readonly string[];
      if (claim.metadata.deletionTimestamp !== undefined) {
        if (!has) return undefined;
        const used = yield* isUsed(key, claim.metadata.namespace ?? '');
        if (typeof used !== 'boolean') return used;
        if (used) return undefined;
        next = finalizers.filter((finalizer) => finalizer !== CLAIM_FINALIZER);
      } else {
        if (has) return undefined;
        next = [...finalizers, CLAIM_FINALIZER];
      }
      const written = yield* context.client
        .resource(PERSISTENT_VOLUME_CLAIMS)
        .update({ ...claim, metadata: { ...claim.metadata, finalizers: next } });
      return written.ok || isNotFound(written) ? undefined : written;
    }
    context.whenSynced([claims, pods], () => {
      runWorkers(context.process, 'claim-protection', queue, 1, sync);
    });
  },
};

/** A bound volume is not removed: pkg/controller/volume/pvprotection. */
export const volumeProtectionController: ControllerRow = {
  name: 'persistentvolume-protection-controller',
  start(context: ControllerContext): void {
    const volumes: Informer<PersistentVolume> = context.informer(PERSISTENT_VOLUMES);
    const queue = new WorkQueue(context.process);
    const needsWork = (volume: PersistentVolume) => {
      const has = volume.metadata.finalizers?.includes(VOLUME_FINALIZER) === true;
      if ((volume.metadata.deletionTimestamp !== undefined) === has) queue.add(objectKey(volume));
    };
    volumes.addHandler({ onAdd: needsWork, onUpdate: (_, volume) => needsWork(volume) });
    function* sync(key: string): Task<ReconcileError> {
      const volume = volumes.get(key);
      if (volume === undefined) return undefined;
      const finalizers = volume.metadata.finalizers ?? [];
      const has = finalizers.includes(VOLUME_FINALIZER);
      const deleting = volume.metadata.deletionTimestamp !== undefined;
      if (deleting !== has || (deleting && volume.status?.phase === 'Bound')) return undefined;
      const next = deleting ? finalizers.filter((finalizer) => finalizer !== VOLUME_FINALIZER) : [...finalizers, VOLUME_FINALIZER];
      const written = yield* context.client
        .resource(PERSISTENT_VOLUMES)
        .update({ ...volume, metadata: { ...volume.metadata, finalizers: next } });
      return written.ok || isNotFound(written) ? undefined : written;
    }
    context.whenSynced([volumes], () => {
      runWorkers(context.process, 'volume-protection', queue, 1, sync);
    });
  },
};
