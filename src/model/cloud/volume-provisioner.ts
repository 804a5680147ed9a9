import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../api/types.ts';
import { EventBroadcaster } from '../client/events.ts';
import { InformerFactory } from '../client/informer-factory.ts';
import { objectKey } from '../client/reflector.ts';
import { PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, STORAGE_CLASSES } from '../client/resources.ts';
import { isAlreadyExists, isNotFound } from '../client/result.ts';
import { ApiTransport } from '../client/transport.ts';
import { Client } from '../client/typed-client.ts';
import { type ReconcileError, runWorkers, WorkQueue } from '../client/work-queue.ts';
import type { Facts } from '../facts.ts';
import type { Program } from '../../sim/host.ts';
import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import { MILLISECOND, SECOND, type Micros } from '../../sim/time.ts';

/** One way of making volumes, as a distribution offers it by its default StorageClass. */
export interface VolumeOffer {
  readonly className: string;
  /** Name of the provisioner: 'rancher.io/local-path'. */
  readonly provisioner: string;
  readonly bindingMode: 'Immediate' | 'WaitForFirstConsumer';
  /** node: a directory of the chosen node; network: a disk that any node can mount. */
  readonly reach: 'node' | 'network';
  readonly createUs: Micros;
}

/** Default classes of the presets, by preset; any other cluster gets `standard` on a network. */
const OFFERS: Readonly<Record<string, VolumeOffer>> = {
  kind: {
    className: 'standard',
    provisioner: 'rancher.io/local-path',
    bindingMode: 'WaitForFirstConsumer',
    reach: 'node',
    createUs: 3 * SECOND,
  },
  'docker-desktop': {
    className: 'hostpath',
    provisioner: 'docker.io/hostpath',
    bindingMode: 'Immediate',
    reach: 'network',
    createUs: 200 * MILLISECOND,
  },
  lke: {
    className: 'linode-block-storage',
    provisioner: 'linodebs.csi.linode.com',
    bindingMode: 'Immediate',
    reach: 'network',
    createUs: 5 * SECOND,
  },
};
const STANDARD: VolumeOffer = {
  className: 'standard',
  provisioner: 'csi.seatrial.dev',
  bindingMode: 'Immediate',
  reach: 'network',
  createUs: 2 * SECOND,
};

export function volumeOffer(preset: string): VolumeOffer {
  return OFFERS[preset] ?? STANDARD;
}

export interface VolumeProvisionerOptions {
  readonly offer: VolumeOffer;
  readonly servers: readonly Endpoint[];
  readonly facts: Facts;
}

const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';

/** An external provisioner (kubernetes-csi/external-provisioner, local-path-provisioner): makes volumes for claims of its class and removes released ones. */
export function volumeProvisioner(options: VolumeProvisionerOptions): Program {
  return { name: 'volume-provisioner', restartAfterUs: 5 * SECOND, start: (process) => new Provisioner(process, options).start() };
}

class Provisioner {
  readonly #process: Process;
  readonly #offer: VolumeOffer;
  readonly #client: Client;
  readonly #informers: InformerFactory;
  readonly #broadcaster: EventBroadcaster;

  constructor(process: Process, options: VolumeProvisionerOptions) {
    this.#process = process;
    this.#offer = options.offer;
    const user = { name: 'system:serviceaccount:kube-system:volume-provisioner', groups: ['system:masters', 'system:authenticated'] };
    this.#client = new Client(
      new ApiTransport(process, { servers: options.servers, user, userAgent: 'volume-provisioner', facts: options.facts }),
    );
    this.#informers = new InformerFactory(this.#client.transport, { watchList: true });
    this.#broadcaster = new EventBroadcaster(this.#client);
  }

  start(): void {
    const claims = this.#informers.informer(PERSISTENT_VOLUME_CLAIMS);
    const volumes = this.#informers.informer(PERSISTENT_VOLUMES);
    const claimQueue = new WorkQueue(this.#process);
    const volumeQueue = new WorkQueue(this.#process);
    const onClaim = (claim: PersistentVolumeClaim) => {
      if (this.#isOurs(claim)) claimQueue.add(objectKey(claim));
    };
    const onVolume = (volume: PersistentVolume) => {
      if (this.#isReleased(volume)) volumeQueue.add(objectKey(volume));
    };
    claims.addHandler({ onAdd: onClaim, onUpdate: (_, claim) => onClaim(claim) });
    volumes.addHandler({ onAdd: onVolume, onUpdate: (_, volume) => onVolume(volume) });
    const recorder = this.#broadcaster.recorder({ component: this.#offer.provisioner });
    const self = this;
    function* provision(key: string): Task<ReconcileError> {
      const claim = claims.get(key);
      if (claim === undefined || !self.#isOurs(claim)) return undefined;
      recorder.event(claim, 'Normal', 'Provisioning', `External provisioner is provisioning volume for claim ${JSON.stringify(key)}`);
      yield* self.#process.sleep(self.#offer.createUs);
      const volume = self.#volumeFor(claim);
      const created = yield* self.#client.resource(PERSISTENT_VOLUMES).create(volume);
      if (!created.ok && !isAlreadyExists(created)) return created;
      recorder.event(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volume.metadata.name}`);
      return undefined;
    }
    function* remove(key: string): Task<ReconcileError> {
      const volume = volumes.get(key);
      if (volume === undefined || !self.#isReleased(volume)) return undefined;
      const deleted = yield* self.#client
        .resource(PERSISTENT_VOLUMES)
        .delete('', key, { options: { preconditions: { uid: volume.metadata.uid ?? '' } } });
      return deleted.ok || isNotFound(deleted) ? undefined : deleted;
    }
    this.#informers.start();
    this.#process.spawn(
      'start',
      (function* () {
        yield* self.#createClass();
        yield* self.#informers.waitForSync();
        runWorkers(self.#process, 'provision', claimQueue, 10, provision);
        runWorkers(self.#process, 'remove', volumeQueue, 10, remove);
      })(),
    );
  }

  /** The default class, as a distribution's add-on installs it. */
  *#createClass(): Task<void> {
    const { className, provisioner, bindingMode } = this.#offer;
    const storageClass: StorageClass = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: className, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner,
      reclaimPolicy: 'Delete',
      volumeBindingMode: bindingMode,
    };
    for (;;) {
      const created = yield* this.#client.resource(STORAGE_CLASSES).create(storageClass);
      if (created.ok || isAlreadyExists(created)) return;
      yield* this.#process.sleep(SECOND);
    }
  }

  #isOurs(claim: PersistentVolumeClaim): boolean {
    const { annotations = {}, deletionTimestamp } = claim.metadata;
    if (deletionTimestamp !== undefined || (claim.spec?.volumeName ?? '') !== '') return false;
    if (annotations[STORAGE_PROVISIONER] !== this.#offer.provisioner) return false;
    return this.#offer.bindingMode === 'Immediate' || annotations[SELECTED_NODE] !== undefined;
  }

  #isReleased(volume: PersistentVolume): boolean {
    return (
      volume.status?.phase === 'Released' &&
      volume.spec?.persistentVolumeReclaimPolicy === 'Delete' &&
      volume.metadata.deletionTimestamp === undefined &&
      volume.metadata.annotations?.[PROVISIONED_BY] === this.#offer.provisioner
    );
  }

  #volumeFor(claim: PersistentVolumeClaim): PersistentVolume {
    const { provisioner, className, reach } = this.#offer;
    const name = `pvc-${claim.metadata.uid ?? ''}`;
    const node = claim.metadata.annotations?.[SELECTED_NODE] ?? '';
    const source =
      reach === 'node'
        ? {
            hostPath: { path: `/var/local-path-provisioner/${name}`, type: 'DirectoryOrCreate' as const },
            nodeAffinity: {
              required: {
                nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In' as const, values: [node] }] }],
              },
            },
          }
        : { csi: { driver: provisioner, volumeHandle: name } };
    return {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name, annotations: { [PROVISIONED_BY]: provisioner } },
      spec: {
        capacity: { storage: claim.spec?.resources?.requests?.storage ?? '1Gi' },
        accessModes: claim.spec?.accessModes ?? ['ReadWriteOnce'],
        persistentVolumeReclaimPolicy: 'Delete',
        storageClassName: className,
        volumeMode: 'Filesystem',
        claimRef: {
          kind: 'PersistentVolumeClaim',
          apiVersion: 'v1',
          namespace: claim.metadata.namespace ?? '',
          name: claim.metadata.name ?? '',
          uid: claim.metadata.uid ?? '',
        },
        ...source,
      },
    };
  }
}
