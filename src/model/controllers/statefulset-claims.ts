import type { OwnerReference } from '../api/object.ts';
import type { PersistentVolumeClaim, Pod, StatefulSet } from '../api/types.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { PERSISTENT_VOLUME_CLAIMS } from '../client/resources.ts';
import { type ApiFailure, isAlreadyExists } from '../client/result.ts';
import type { Client } from '../client/typed-client.ts';
import type { Task } from '../../sim/task.ts';
import { newControllerRef } from './owner-reference.ts';
import { claimName, isInRange, ordinalOf } from './statefulset-pod.ts';

/** Who owns a claim under the retention policy (KEP-1847): nobody, the set, or the pod that is on its way out. */
type ClaimOwner = 'none' | 'set' | 'pod';

function wantedOwner(set: StatefulSet, pod: Pod): ClaimOwner {
  const policy = set.spec.persistentVolumeClaimRetentionPolicy;
  const scaled = policy?.whenScaled === 'Delete';
  const deleted = policy?.whenDeleted === 'Delete';
  if (scaled && !isInRange(set, ordinalOf(set, pod))) return 'pod';
  return deleted ? 'set' : 'none';
}

/** The claims of a set's pods: upstream stateful_pod_control.go. */
export class StatefulSetClaims {
  readonly #client: Client;
  readonly #recorder: EventRecorder;
  readonly #claims: Informer<PersistentVolumeClaim>;

  constructor(client: Client, recorder: EventRecorder, claims: Informer<PersistentVolumeClaim>) {
    this.#client = client;
    this.#recorder = recorder;
    this.#claims = claims;
  }

  #existing(set: StatefulSet, pod: Pod): readonly PersistentVolumeClaim[] {
    const found: PersistentVolumeClaim[] = [];
    for (const template of set.spec.volumeClaimTemplates ?? []) {
      const claim = this.#claims.get(`${set.metadata.namespace}/${claimName(template, pod.metadata.name ?? '')}`);
      if (claim !== undefined) found.push(claim);
    }
    return found;
  }

  /** Creates what is missing before the pod. */
  *create(set: StatefulSet, pod: Pod): Task<ApiFailure | undefined> {
    for (const template of set.spec.volumeClaimTemplates ?? []) {
      const name = claimName(template, pod.metadata.name ?? '');
      const existing = this.#claims.get(`${set.metadata.namespace}/${name}`);
      if (existing !== undefined) {
        if (existing.metadata.deletionTimestamp !== undefined)
          return { ok: false, reason: 'Terminating', code: 0, message: `pvc ${name} is being deleted`, sent: true };
        continue;
      }
      const claim: PersistentVolumeClaim = {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          ...template.metadata,
          name,
          namespace: set.metadata.namespace ?? '',
          labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels },
        },
        spec: template.spec,
      };
      const created = yield* this.#client.resource(PERSISTENT_VOLUME_CLAIMS).create(claim);
      const text = `Claim ${name} Pod ${pod.metadata.name ?? ''} in StatefulSet ${set.metadata.name ?? ''}`;
      if (created.ok) this.#recorder.event(set, 'Normal', 'SuccessfulCreate', `Create ${text} success`);
      else if (!isAlreadyExists(created)) {
        this.#recorder.event(set, 'Warning', 'FailedCreate', `Create ${text} failed error: ${created.message}`);
        return created;
      }
    }
    return undefined;
  }

  /** Whether all claims of the pod have the owner that the policy wants. */
  match(set: StatefulSet, pod: Pod): boolean {
    return this.#existing(set, pod).every((claim) => this.#owned(set, pod, claim) === claim);
  }

  /** Gives the claims their owners. */
  *applyPolicy(set: StatefulSet, pod: Pod): Task<ApiFailure | undefined> {
    for (const claim of this.#existing(set, pod)) {
      const next = this.#owned(set, pod, claim);
      if (next === claim) continue;
      const updated = yield* this.#client.resource(PERSISTENT_VOLUME_CLAIMS).update(next);
      if (!updated.ok) return updated;
    }
    return undefined;
  }

  /** A claim owned by an earlier pod of the name is about to be collected: the new pod must wait. */
  isStale(set: StatefulSet, pod: Pod): boolean {
    if (set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled !== 'Delete') return false;
    return this.#existing(set, pod).some((claim) =>
      claim.metadata.ownerReferences?.some(
        (owner) => owner.kind === 'Pod' && owner.name === pod.metadata.name && owner.uid !== pod.metadata.uid,
      ),
    );
  }

  #owned(set: StatefulSet, pod: Pod, claim: PersistentVolumeClaim): PersistentVolumeClaim {
    const wanted = wantedOwner(set, pod);
    const before = claim.metadata.ownerReferences ?? [];
    const isOurs = (owner: OwnerReference): boolean => owner.uid === set.metadata.uid || owner.uid === pod.metadata.uid;
    const uid = wanted === 'set' ? set.metadata.uid : wanted === 'pod' ? pod.metadata.uid : undefined;
    const ours = before.filter(isOurs);
    if (uid === undefined ? ours.length === 0 : ours.length === 1 && ours[0]?.uid === uid) return claim;
    const rest = before.filter((owner) => !isOurs(owner));
    const reference = wanted === 'set' ? newControllerRef(set, 'apps/v1', 'StatefulSet') : newControllerRef(pod, 'v1', 'Pod');
    return { ...claim, metadata: { ...claim.metadata, ownerReferences: uid === undefined ? rest : [...rest, reference] } };
  }
}
