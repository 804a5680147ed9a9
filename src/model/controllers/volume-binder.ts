import type { ApiObject } from '../api/object.ts';
import type { PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimStatus, Pod, StorageClass } from '../api/types.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey, splitKey } from '../client/reflector.ts';
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, STORAGE_CLASSES } from '../client/resources.ts';
import { type ApiResult, isNotFound } from '../client/result.ts';
import { runWorkers, WorkQueue } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import type { ControllerContext, ControllerRow } from './context.ts';
import { NewestCache } from './newest-cache.ts';
import {
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  classOf,
  findMatchingVolume,
  hasAnnotation,
  isBoundTo,
  mismatch,
  PROVISIONED_BY,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
  STORAGE_PROVISIONER_BETA,
  withDefaultClass,
} from './volume-matching.ts';

/** Upstream PVClaimBinderSyncPeriod: what failed is tried again then; errors are not queued anew. */
const RESYNC: Micros = 15 * SECOND;
type Phase = NonNullable<PersistentVolume['status']>['phase'];
/** A step of a sync failed: the rest of it is left to a later sync. */
const FAILED = { failed: true } as const;
type Failed = typeof FAILED;

/** Binds claims to volumes and keeps both phases: pkg/controller/volume/persistentvolume. */
export const volumeBinderController: ControllerRow = {
  name: 'persistentvolume-binder-controller',
  start: (context) => new VolumeBinder(context).start(),
};

class VolumeBinder {
  readonly #context: ControllerContext;
  readonly #recorder: EventRecorder;
  readonly #volumes = new NewestCache<PersistentVolume>();
  readonly #claims = new NewestCache<PersistentVolumeClaim>();
  readonly #volumeInformer: Informer<PersistentVolume>;
  readonly #claimInformer: Informer<PersistentVolumeClaim>;
  readonly #classes: Informer<StorageClass>;
  readonly #pods: Informer<Pod>;
  readonly #volumeQueue: WorkQueue;
  readonly #claimQueue: WorkQueue;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#recorder = context.recorder('persistentvolume-controller');
    this.#volumeInformer = context.informer(PERSISTENT_VOLUMES);
    this.#claimInformer = context.informer(PERSISTENT_VOLUME_CLAIMS);
    this.#classes = context.informer(STORAGE_CLASSES);
    this.#pods = context.informer(PODS);
    this.#volumeQueue = new WorkQueue(context.process);
    this.#claimQueue = new WorkQueue(context.process);
  }

  start(): void {
    const { process } = this.#context;
    const volumeKey = (volume: PersistentVolume) => this.#volumeQueue.add(objectKey(volume));
    const claimKey = (claim: PersistentVolumeClaim) => this.#claimQueue.add(objectKey(claim));
    this.#volumeInformer.addHandler({ onAdd: volumeKey, onUpdate: (_, volume) => volumeKey(volume), onDelete: volumeKey });
    this.#claimInformer.addHandler({ onAdd: claimKey, onUpdate: (_, claim) => claimKey(claim), onDelete: claimKey });
    this.#context.whenSynced([this.#volumeInformer, this.#claimInformer, this.#classes, this.#pods], () => {
      for (const volume of this.#volumeInformer.list()) this.#volumes.put(volume);
      for (const claim of this.#claimInformer.list()) this.#claims.put(claim);
      runWorkers(process, 'volumes', this.#volumeQueue, 1, (key) => this.#volumeWork(key));
      runWorkers(process, 'claims', this.#claimQueue, 1, (key) => this.#claimWork(key));
      process.spawn('volume-resync', this.#resync());
    });
  }

  *#resync(): Task<void> {
    for (;;) {
      yield* this.#context.process.sleep(RESYNC);
      for (const claim of this.#claimInformer.list()) this.#claimQueue.add(objectKey(claim));
      for (const volume of this.#volumeInformer.list()) this.#volumeQueue.add(objectKey(volume));
    }
  }

  *#volumeWork(key: string): Task<undefined> {
    const volume = this.#volumeInformer.get(key);
    if (volume !== undefined) {
      if (this.#volumes.put(volume) || this.#volumes.get(key) === volume)
        yield* this.#syncVolume(this.#volumes.get(key) as PersistentVolume);
      return undefined;
    }
    const last = this.#volumes.get(key);
    this.#volumes.delete(key);
    const reference = last?.spec?.claimRef;
    // Its claim has lost its volume.
    if (reference !== undefined) this.#claimQueue.add(`${reference.namespace ?? ''}/${reference.name ?? ''}`);
    return undefined;
  }

  *#claimWork(key: string): Task<undefined> {
    const claim = this.#claimInformer.get(key);
    if (claim !== undefined) {
      this.#claims.put(claim);
      yield* this.#syncClaim(this.#claims.get(key) as PersistentVolumeClaim);
      return undefined;
    }
    const last = this.#claims.get(key);
    this.#claims.delete(key);
    // Its volume is to be released.
    const volumeName = last?.spec?.volumeName ?? '';
    if (volumeName !== '') this.#volumeQueue.add(volumeName);
    return undefined;
  }

  // --- claims --------------------------------------------------------------------------------------------------------------------

  #syncClaim(claim: PersistentVolumeClaim): Task<undefined | Failed> {
    return hasAnnotation(claim, BIND_COMPLETED) ? this.#syncBoundClaim(claim) : this.#syncUnboundClaim(claim);
  }

  *#syncUnboundClaim(claim: PersistentVolumeClaim): Task<undefined | Failed> {
    const volumeName = claim.spec?.volumeName ?? '';
    if (volumeName === '') {
      const delayBinding = this.#waitsForConsumer(claim);
      const volume = findMatchingVolume(this.#volumes.list(), claim, delayBinding);
      if (volume !== undefined) return yield* this.#bind(volume, claim);
      // A class that became the default after the claim was made is given to it now (KEP-3333); the change brings the claim here again.
      const defaulted = withDefaultClass(claim, this.#classes.list());
      if (defaulted !== undefined) {
        const written = this.#tookClaim(yield* this.#context.client.resource(PERSISTENT_VOLUME_CLAIMS).update(defaulted));
        return isFailed(written) ? FAILED : undefined;
      }
      if (delayBinding) this.#tellWaiting(claim);
      else if (classOf(claim) !== '') return yield* this.#provision(claim);
      else
        this.#recorder.event(
          claim,
          'Normal',
          'FailedBinding',
          'no persistent volumes available for this claim and no storage class is set',
        );
      yield* this.#setClaimStatus(claim, 'Pending', undefined);
      return;
    }
    const volume = this.#volumes.get(volumeName);
    if (volume === undefined) {
      yield* this.#setClaimStatus(claim, 'Pending', undefined);
      return;
    }
    if (volume.spec?.claimRef === undefined) {
      const why = mismatch(volume, claim);
      if (why === undefined) return yield* this.#bind(volume, claim);
      this.#recorder.event(claim, 'Warning', 'VolumeMismatch', `Cannot bind to requested volume ${JSON.stringify(volumeName)}: ${why}`);
      yield* this.#setClaimStatus(claim, 'Pending', undefined);
      return;
    }
    if (isBoundTo(volume, claim)) return yield* this.#bind(volume, claim);
    this.#recorder.event(claim, 'Warning', 'FailedBinding', `volume ${JSON.stringify(volumeName)} already bound to a different claim.`);
    if (!hasAnnotation(claim, BOUND_BY_CONTROLLER)) yield* this.#setClaimStatus(claim, 'Pending', undefined);
  }

  *#syncBoundClaim(claim: PersistentVolumeClaim): Task<undefined | Failed> {
    const volumeName = claim.spec?.volumeName ?? '';
    const lost = (reason: string, message: string) => this.#lose(claim, reason, message);
    if (volumeName === '')
      return yield* lost('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!');
    const volume = this.#volumes.get(volumeName);
    if (volume === undefined) return yield* lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
    const reference = volume.spec?.claimRef;
    if (reference === undefined || reference.uid === claim.metadata.uid) return yield* this.#bind(volume, claim);
    return yield* lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
  }

  *#lose(claim: PersistentVolumeClaim, reason: string, message: string): Task<undefined> {
    if (claim.status?.phase === 'Lost') return undefined;
    const written = yield* this.#setClaimStatus(claim, 'Lost', undefined);
    if (written !== FAILED) this.#recorder.event(claim, 'Warning', reason, message);
    return undefined;
  }

  #waitsForConsumer(claim: PersistentVolumeClaim): boolean {
    const storageClass = this.#classes.get(classOf(claim));
    return storageClass?.volumeBindingMode === 'WaitForFirstConsumer' && !hasAnnotation(claim, SELECTED_NODE);
  }

  /** Upstream emitEventForUnboundDelayBindingClaim. */
  #tellWaiting(claim: PersistentVolumeClaim): void {
    const namespace = claim.metadata.namespace ?? '';
    const users = this.#pods
      .list()
      .filter(
        (pod) =>
          pod.metadata.namespace === namespace &&
          (pod.spec.nodeName ?? '') === '' &&
          pod.status?.phase !== 'Succeeded' &&
          pod.status?.phase !== 'Failed' &&
          usesClaim(pod, claim.metadata.name ?? ''),
      )
      .map((pod) => pod.metadata.name ?? '');
    if (users.length === 0)
      this.#recorder.event(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding');
    else
      this.#recorder.event(
        claim,
        'Normal',
        'WaitForPodScheduled',
        `waiting for pod${users.length === 1 ? '' : 's'} ${users.join(',')} to be scheduled`,
      );
  }

  /** Provisioners run outside: the claim is marked with whose work it is. Upstream provisionClaimOperationExternal. */
  *#provision(claim: PersistentVolumeClaim): Task<undefined | Failed> {
    const storageClass = this.#classes.get(classOf(claim));
    if (storageClass === undefined) {
      this.#recorder.event(
        claim,
        'Warning',
        'ProvisioningFailed',
        `storageclass.storage.k8s.io ${JSON.stringify(classOf(claim))} not found`,
      );
      return FAILED;
    }
    const { provisioner } = storageClass;
    if (provisioner.startsWith('kubernetes.io/')) {
      this.#recorder.event(claim, 'Warning', 'ProvisioningFailed', `no volume plugin matched name: ${provisioner}`);
      return FAILED;
    }
    const annotations = { ...claim.metadata.annotations, [STORAGE_PROVISIONER]: provisioner, [STORAGE_PROVISIONER_BETA]: provisioner };
    if (claim.metadata.annotations?.[STORAGE_PROVISIONER] !== provisioner) {
      const written = this.#tookClaim(
        yield* this.#context.client.resource(PERSISTENT_VOLUME_CLAIMS).update({ ...claim, metadata: { ...claim.metadata, annotations } }),
      );
      if (isFailed(written)) return FAILED;
    }
    this.#recorder.event(
      claim,
      'Normal',
      'ExternalProvisioning',
      `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
    );
  }

  // --- volumes -------------------------------------------------------------------------------------------------------------------

  *#syncVolume(volume: PersistentVolume): Task<undefined | Failed> {
    const reference = volume.spec?.claimRef;
    if (reference === undefined || (reference.uid ?? '') === '') {
      yield* this.#setVolumePhase(volume, 'Available');
      return;
    }
    const key = `${reference.namespace ?? ''}/${reference.name ?? ''}`;
    let claim = this.#claims.get(key);
    const phase = volume.status?.phase;
    if (claim === undefined && phase !== 'Released' && phase !== 'Failed') claim = yield* this.#liveClaim(key);
    // A claim of the name that is another one: ours has been deleted, unless our copy is the old one.
    if (claim !== undefined && claim.metadata.uid !== reference.uid) {
      const live: PersistentVolumeClaim | undefined = yield* this.#liveClaim(key);
      claim = live?.metadata.uid === reference.uid ? live : undefined;
    }
    if (claim === undefined) {
      let current: PersistentVolume = volume;
      if (phase !== 'Released' && phase !== 'Failed') {
        const released: PersistentVolume | Failed = yield* this.#setVolumePhase(volume, 'Released');
        if (isFailed(released)) return FAILED;
        current = released;
      }
      yield* this.#reclaim(current);
      return;
    }
    const claimVolume = claim.spec?.volumeName ?? '';
    if (claimVolume === '') this.#claimQueue.add(key);
    else if (claimVolume === volume.metadata.name) yield* this.#setVolumePhase(volume, 'Bound');
    else yield* this.#unbind(volume);
  }

  *#liveClaim(key: string): Task<PersistentVolumeClaim | undefined> {
    const { namespace, name } = splitKey(key);
    const read = yield* this.#context.client.resource(PERSISTENT_VOLUME_CLAIMS).get(namespace, name);
    return read.ok ? read.object : undefined;
  }

  /**
   * Retain does nothing; what an external provisioner made, it also removes; of what is left only host paths have a deleter (which takes any path
   * here, upstream's takes those under /tmp). Upstream deleteVolumeOperation.
   */
  *#reclaim(volume: PersistentVolume): Task<void> {
    if (volume.spec?.persistentVolumeReclaimPolicy !== 'Delete' || hasAnnotation(volume, PROVISIONED_BY)) return;
    if (volume.metadata.deletionTimestamp !== undefined) return;
    const name = volume.metadata.name ?? '';
    if (volume.spec.hostPath === undefined) {
      if (volume.status?.phase === 'Failed') return;
      const message = `error getting deleter volume plugin for volume ${JSON.stringify(name)}: no deletable volume plugin matched`;
      const status = { ...volume.status, phase: 'Failed' as const, message };
      const written = this.#tookVolume(yield* this.#context.client.resource(PERSISTENT_VOLUMES).updateStatus({ ...volume, status }));
      if (!isFailed(written)) this.#recorder.event(volume, 'Warning', 'VolumeFailedDelete', message);
      return;
    }
    const deleted = yield* this.#context.client
      .resource(PERSISTENT_VOLUMES)
      .delete('', name, { options: { preconditions: { uid: volume.metadata.uid ?? '' } } });
    if (!deleted.ok && !isNotFound(deleted)) this.#recorder.event(volume, 'Warning', 'VolumeFailedDelete', deleted.message);
  }

  /** Upstream unbindVolume: a reservation by the user stays, without the uid. */
  *#unbind(volume: PersistentVolume): Task<void> {
    let next: PersistentVolume;
    if (hasAnnotation(volume, BOUND_BY_CONTROLLER)) {
      const { claimRef: _, ...spec } = volume.spec;
      const { [BOUND_BY_CONTROLLER]: __, ...annotations } = volume.metadata.annotations ?? {};
      next = { ...volume, spec, metadata: { ...volume.metadata, annotations } };
    } else {
      const { uid: _, ...reference } = volume.spec?.claimRef ?? {};
      next = { ...volume, spec: { ...volume.spec, claimRef: reference } };
    }
    const written = this.#tookVolume(yield* this.#context.client.resource(PERSISTENT_VOLUMES).update(next));
    if (!isFailed(written)) yield* this.#setVolumePhase(written, 'Available');
  }

  // --- binding -------------------------------------------------------------------------------------------------------------------

  /** Four writes, each skipped when it is done already, so that a binding that broke off is finished by the next sync. Upstream bind. */
  *#bind(volume: PersistentVolume, claim: PersistentVolumeClaim): Task<undefined | Failed> {
    const named = yield* this.#nameClaim(volume, claim);
    if (isFailed(named)) return FAILED;
    const bound = yield* this.#setVolumePhase(named, 'Bound');
    if (isFailed(bound)) return FAILED;
    const completed = yield* this.#nameVolume(claim, bound);
    if (isFailed(completed)) return FAILED;
    return yield* this.#setClaimStatus(completed, 'Bound', bound);
  }

  *#nameClaim(volume: PersistentVolume, claim: PersistentVolumeClaim): Task<PersistentVolume | Failed> {
    const reference = volume.spec?.claimRef;
    const mine =
      reference !== undefined &&
      reference.name === claim.metadata.name &&
      reference.namespace === claim.metadata.namespace &&
      reference.uid === claim.metadata.uid;
    if (mine) return volume;
    const claimRef = {
      kind: 'PersistentVolumeClaim',
      apiVersion: 'v1',
      namespace: claim.metadata.namespace ?? '',
      name: claim.metadata.name ?? '',
      uid: claim.metadata.uid ?? '',
      resourceVersion: claim.metadata.resourceVersion ?? '',
    };
    // A volume that its user reserved is not marked as bound by us.
    const annotations = isBoundTo(volume, claim)
      ? volume.metadata.annotations
      : { ...volume.metadata.annotations, [BOUND_BY_CONTROLLER]: 'yes' };
    const metadata = annotations === undefined ? volume.metadata : { ...volume.metadata, annotations };
    return this.#tookVolume(
      yield* this.#context.client.resource(PERSISTENT_VOLUMES).update({ ...volume, metadata, spec: { ...volume.spec, claimRef } }),
    );
  }

  *#nameVolume(claim: PersistentVolumeClaim, volume: PersistentVolume): Task<PersistentVolumeClaim | Failed> {
    const volumeName = volume.metadata.name ?? '';
    const isNew = claim.spec?.volumeName !== volumeName;
    if (!isNew && hasAnnotation(claim, BIND_COMPLETED)) return claim;
    const annotations = { ...claim.metadata.annotations, ...(isNew ? { [BOUND_BY_CONTROLLER]: 'yes' } : {}), [BIND_COMPLETED]: 'yes' };
    return this.#tookClaim(
      yield* this.#context.client
        .resource(PERSISTENT_VOLUME_CLAIMS)
        .update({ ...claim, metadata: { ...claim.metadata, annotations }, spec: { ...claim.spec, volumeName } }),
    );
  }

  *#setVolumePhase(volume: PersistentVolume, phase: Phase): Task<PersistentVolume | Failed> {
    if (volume.status?.phase === phase || phase === undefined) return volume;
    return this.#tookVolume(
      yield* this.#context.client.resource(PERSISTENT_VOLUMES).updateStatus({ ...volume, status: { ...volume.status, phase } }),
    );
  }

  *#setClaimStatus(
    claim: PersistentVolumeClaim,
    phase: NonNullable<PersistentVolumeClaimStatus['phase']>,
    volume: PersistentVolume | undefined,
  ): Task<undefined | Failed> {
    const before = claim.status ?? {};
    const { accessModes: _, capacity: __, ...rest } = before;
    const modes = volume?.spec?.accessModes;
    const capacity = volume?.spec?.capacity?.storage;
    // The capacity is taken when the claim becomes bound; later it is the resizer's.
    const keeps = volume !== undefined && before.phase === phase && before.capacity !== undefined;
    const next: PersistentVolumeClaimStatus = {
      ...rest,
      phase,
      ...(modes === undefined ? {} : { accessModes: modes }),
      ...(keeps ? { capacity: before.capacity ?? {} } : capacity === undefined ? {} : { capacity: { storage: capacity } }),
    };
    if (before.phase === phase && same(before.accessModes, next.accessModes) && before.capacity?.storage === next.capacity?.storage) return;
    const written = this.#tookClaim(
      yield* this.#context.client.resource(PERSISTENT_VOLUME_CLAIMS).updateStatus({ ...claim, status: next }),
    );
    return isFailed(written) ? FAILED : undefined;
  }

  #tookVolume(result: ApiResult<PersistentVolume>): PersistentVolume | Failed {
    if (!result.ok) return FAILED;
    this.#volumes.put(result.object);
    return result.object;
  }

  #tookClaim(result: ApiResult<PersistentVolumeClaim>): PersistentVolumeClaim | Failed {
    if (!result.ok) return FAILED;
    this.#claims.put(result.object);
    return result.object;
  }
}

/** By name, or by an ephemeral volume whose claim is named after pod and volume. */
function usesClaim(pod: Pod, claimName: string): boolean {
  return (
    pod.spec.volumes?.some(
      (volume) =>
        volume.persistentVolumeClaim?.claimName === claimName ||
        (volume.ephemeral !== undefined && `${pod.metadata.name}-${volume.name}` === claimName),
    ) === true
  );
}

function isFailed(value: ApiObject | Failed): value is Failed {
  return value === FAILED;
}

function same(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  const left = a ?? [];
  const right = b ?? [];
  return left.length === right.length && left.every((mode, i) => mode === right[i]);
}
