import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import { MILLISECOND, SECOND, type Micros } from '../../sim/time.ts';
import type { ConfigMap, Pod, Secret, Volume } from '../api/types.ts';
import { quantityOf, quantityValue } from '../api/quantity.ts';
import { CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, SECRETS } from '../client/resources.ts';
import { isNotFound } from '../client/result.ts';
import type { Client } from '../client/typed-client.ts';
import { decodeBase64, type EnvironmentResolver } from './environment.ts';
import type { PodEvents } from './pod-events.ts';
import type { Machine } from './runtime/machine.ts';
import { failed, stepDone, type SyncStep } from './sync-error.ts';

/** Every namespace has it and it does not change: read once a namespace. */
const ROOT_CA = 'kube-root-ca.crt';
/** Upstream volumemanager.podAttachAndMountTimeout: 2 minutes and 3 seconds. */
const MOUNT_TIMEOUT: Micros = 123 * SECOND;
const RETRY_INITIAL: Micros = 500 * MILLISECOND;
const RETRY_MAX: Micros = 122 * SECOND;

type Files = Readonly<Record<string, string>>;
type Loaded = SyncStep<Files | undefined>;

/** Volumes of pods: upstream pkg/kubelet/volumemanager, for the kinds whose content comes from the API or from nowhere. */
export class VolumeManager {
  readonly #process: Process;
  readonly #client: Client;
  readonly #machine: Machine;
  readonly #events: PodEvents;
  readonly #environment: EnvironmentResolver;
  readonly #mounted = new Set<string>();
  readonly #retrying = new Set<string>();
  readonly #rootCa = new Map<string, Files>();

  constructor(process: Process, client: Client, machine: Machine, events: PodEvents, environment: EnvironmentResolver) {
    this.#process = process;
    this.#client = client;
    this.#machine = machine;
    this.#events = events;
    this.#environment = environment;
  }

  /** Waits until the pod's volumes are there. `refresh`: content from the API is read again even where it was mounted before. */
  *mount(pod: Pod, refresh: boolean, ended: () => boolean): Task<SyncStep> {
    const uid = pod.metadata.uid ?? '';
    const volumes = pod.spec.volumes ?? [];
    if (this.#mounted.has(uid) && !(refresh && volumes.some(changes))) return stepDone;
    const deadline = this.#process.mono() + MOUNT_TIMEOUT;
    let pending = volumes;
    let delay = RETRY_INITIAL;
    for (;;) {
      const left: Volume[] = [];
      for (const volume of pending) {
        const step = yield* this.#mountOne(pod, volume);
        if (step.ok) continue;
        if (step.reason === 'ClaimError') {
          const message = `Unable to attach or mount volumes: unmounted volumes=[${volume.name}], unattached volumes=[], failed to process volumes=[${volume.name}]: ${step.message}`;
          this.#events.pod(pod, 'Warning', 'FailedMount', message);
          return failed('FailedMount', message);
        }
        left.push(volume);
        this.#events.pod(
          pod,
          'Warning',
          'FailedMount',
          `MountVolume.SetUp failed for volume ${JSON.stringify(volume.name)} : ${step.message}`,
        );
      }
      if (left.length === 0) {
        this.#mounted.add(uid);
        return stepDone;
      }
      // Content that was there before stays when its source is gone; setting it up goes on being tried in the background.
      if (this.#mounted.has(uid)) {
        this.#retryLater(pod, left, delay, ended);
        return stepDone;
      }
      if (this.#process.mono() + delay > deadline) {
        const names = left.map((volume) => volume.name).join(' ');
        const message = `Unable to attach or mount volumes: unmounted volumes=[${names}], unattached volumes=[], failed to process volumes=[]: context deadline exceeded`;
        this.#events.pod(pod, 'Warning', 'FailedMount', message);
        return failed('FailedMount', message);
      }
      yield* this.#process.sleep(delay);
      if (ended()) return failed('FailedMount', 'context canceled');
      delay = Math.min(delay * 2, RETRY_MAX);
      pending = left;
    }
  }

  #retryLater(pod: Pod, volumes: readonly Volume[], delayUs: Micros, ended: () => boolean): void {
    const uid = pod.metadata.uid ?? '';
    if (this.#retrying.has(uid)) return;
    this.#retrying.add(uid);
    this.#process.spawn('remount', this.#retry(pod, volumes, delayUs, ended), () => this.#retrying.delete(uid));
  }

  *#retry(pod: Pod, volumes: readonly Volume[], delayUs: Micros, ended: () => boolean): Task<void> {
    let delay = delayUs;
    for (;;) {
      yield* this.#process.sleep(delay);
      if (ended() || !this.#mounted.has(pod.metadata.uid ?? '')) return;
      let failures = 0;
      for (const volume of volumes) {
        const step = yield* this.#mountOne(pod, volume);
        if (step.ok) continue;
        failures++;
        this.#events.pod(
          pod,
          'Warning',
          'FailedMount',
          `MountVolume.SetUp failed for volume ${JSON.stringify(volume.name)} : ${step.message}`,
        );
      }
      if (failures === 0) return;
      delay = Math.min(delay * 2, RETRY_MAX);
    }
  }

  /** Whether the pod has volumes whose content may change in the API. */
  watches(pod: Pod): boolean {
    return (pod.spec.volumes ?? []).some(changes);
  }

  forget(podUid: string): void {
    this.#mounted.delete(podUid);
    this.#machine.removeFiles(podUid);
  }

  *#mountOne(pod: Pod, volume: Volume): Task<SyncStep> {
    if (volume.emptyDir !== undefined) {
      const target = this.#machine.files(pod.metadata.uid ?? '').volume(volume.name);
      target.inMemory = volume.emptyDir.medium === 'Memory';
      if (volume.emptyDir.sizeLimit !== undefined) {
        const limit = quantityValue(quantityOf(volume.emptyDir.sizeLimit));
        // A tmpfs has the limit for its size; a folder on the disk is watched.
        if (volume.emptyDir.medium === 'Memory') target.capacityBytes = limit;
        else target.limitBytes = limit;
      }
      return stepDone;
    }
    if (volume.persistentVolumeClaim !== undefined) return yield* this.#claim(pod, volume.persistentVolumeClaim.claimName);
    const loaded = yield* this.#load(pod, volume);
    if (!loaded.ok) return loaded;
    if (loaded.value !== undefined) this.#write(pod, volume.name, loaded.value);
    return stepDone;
  }

  *#claim(pod: Pod, name: string): Task<SyncStep> {
    const namespace = pod.metadata.namespace ?? '';
    const claim = yield* this.#client.resource(PERSISTENT_VOLUME_CLAIMS).get(namespace, name);
    if (!claim.ok)
      return failed('ClaimError', `error processing PVC ${namespace}/${name}: failed to fetch PVC from API server: ${claim.message}`);
    if (claim.object.status?.phase !== 'Bound') return failed('ClaimError', `error processing PVC ${namespace}/${name}: PVC is not bound`);
    return stepDone;
  }

  *#load(pod: Pod, volume: Volume): Task<Loaded> {
    if (volume.configMap !== undefined)
      return yield* this.#fromConfigMap(pod, volume.configMap.name ?? '', volume.configMap.items, volume.configMap.optional === true);
    if (volume.secret !== undefined)
      return yield* this.#fromSecret(pod, volume.secret.secretName ?? '', volume.secret.items, volume.secret.optional === true);
    if (volume.downwardAPI !== undefined) return { ok: true, value: this.#downward(pod, volume.downwardAPI.items) };
    if (volume.projected === undefined) return { ok: true, value: undefined };
    const files: Record<string, string> = {};
    for (const source of volume.projected.sources ?? []) {
      let part: Loaded = { ok: true, value: undefined };
      if (source.configMap !== undefined)
        part = yield* this.#fromConfigMap(pod, source.configMap.name ?? '', source.configMap.items, source.configMap.optional === true);
      else if (source.secret !== undefined)
        part = yield* this.#fromSecret(pod, source.secret.name ?? '', source.secret.items, source.secret.optional === true);
      else if (source.downwardAPI !== undefined) part = { ok: true, value: this.#downward(pod, source.downwardAPI.items) };
      else if (source.serviceAccountToken !== undefined)
        part = { ok: true, value: { [source.serviceAccountToken.path]: `token of ${pod.metadata.uid ?? ''}` } };
      if (!part.ok) return part;
      Object.assign(files, part.value ?? {});
    }
    return { ok: true, value: files };
  }

  *#fromConfigMap(pod: Pod, name: string, items: Items, optional: boolean): Task<Loaded> {
    const namespace = pod.metadata.namespace ?? '';
    const known = name === ROOT_CA ? this.#rootCa.get(namespace) : undefined;
    if (known !== undefined) return { ok: true, value: known };
    const found = yield* this.#client.resource(CONFIG_MAPS).get(namespace, name);
    if (!found.ok) return missing(found, 'configmap', name, optional);
    const files = pick((found.object as ConfigMap).data, items, optional, 'configmap');
    if (name === ROOT_CA && files.ok && files.value !== undefined) this.#rootCa.set(namespace, files.value);
    return files;
  }

  *#fromSecret(pod: Pod, name: string, items: Items, optional: boolean): Task<Loaded> {
    const found = yield* this.#client.resource(SECRETS).get(pod.metadata.namespace ?? '', name);
    if (!found.ok) return missing(found, 'secret', name, optional);
    const data = (found.object as Secret).data as Files | undefined;
    const plain: Record<string, string> = {};
    for (const key of Object.keys(data ?? {})) plain[key] = decodeBase64(data?.[key] ?? '');
    return pick(plain, items, optional, 'secret');
  }

  #downward(pod: Pod, items: readonly { readonly path: string; readonly fieldRef?: { readonly fieldPath: string } }[] | undefined): Files {
    const files: Record<string, string> = {};
    for (const item of items ?? [])
      files[item.path] = item.fieldRef === undefined ? '' : this.#environment.field(pod, item.fieldRef.fieldPath);
    return files;
  }

  #write(pod: Pod, name: string, files: Files): void {
    const volume = this.#machine.files(pod.metadata.uid ?? '').volume(name);
    volume.fromApi = true;
    let changed = false;
    for (const path of Object.keys(files)) {
      const content = files[path] ?? '';
      if (volume.files.get(path)?.content === content) continue;
      volume.files.set(path, { content, sizeBytes: content.length });
      changed = true;
    }
    for (const path of [...volume.files.keys()]) {
      if (path in files) continue;
      volume.files.delete(path);
      changed = true;
    }
    if (changed && this.#mounted.has(pod.metadata.uid ?? '')) this.#machine.volumesChanged(pod.metadata.uid ?? '');
  }
}

type Items = readonly { readonly key: string; readonly path: string }[] | undefined;

/** Volumes that are read again when the pod is synced (RequiresRemount). The service account's projected volume does not change. */
function changes(volume: Volume): boolean {
  if (volume.configMap !== undefined || volume.secret !== undefined || volume.downwardAPI !== undefined) return true;
  return (volume.projected?.sources ?? []).some(
    (source) => source.serviceAccountToken === undefined && source.configMap?.name !== ROOT_CA && !isNamespaceField(source),
  );
}

function isNamespaceField(source: {
  readonly downwardAPI?: { readonly items?: readonly { readonly fieldRef?: { readonly fieldPath: string } }[] };
}): boolean {
  const items = source.downwardAPI?.items;
  return items?.length === 1 && items[0]?.fieldRef?.fieldPath === 'metadata.namespace';
}

function missing(
  found: { readonly reason: string; readonly code: number; readonly message: string },
  kind: string,
  name: string,
  optional: boolean,
): Loaded {
  if (!isNotFound(found as Parameters<typeof isNotFound>[0])) return failed('FailedMount', found.message);
  return optional ? { ok: true, value: {} } : failed('FailedMount', `${kind} ${JSON.stringify(name)} not found`);
}

function pick(data: Files | undefined, items: Items, optional: boolean, kind: string): Loaded {
  if (items === undefined || items.length === 0) return { ok: true, value: data ?? {} };
  const files: Record<string, string> = {};
  for (const { key, path } of items) {
    const content = data?.[key];
    if (content !== undefined) files[path] = content;
    else if (!optional)
      return failed('FailedMount', `${kind} references non-existent ${kind === 'secret' ? 'secret' : 'config'} key: ${key}`);
  }
  return { ok: true, value: files };
}
