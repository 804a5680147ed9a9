import type { Process } from '../../../sim/process.ts';
import type { ContainerRecord, PodRecords, SandboxRecord } from '../cri.ts';

const SANDBOXES = 'cri/sandbox/';
const CONTAINERS = 'cri/container/';
const RECORD_BYTES = 512;

/**
 * The runtime's book of sandboxes and containers, by pod. It lies on the host's disk, so that a restarted runtime knows what its
 * predecessor started (containerd's metadata database). Creation is synced; what follows may be lost with the power, as the processes are.
 */
export class RecordStore {
  readonly #process: Process;
  readonly #sandboxes = new Map<string, SandboxRecord>();
  readonly #containers = new Map<string, ContainerRecord>();
  readonly #pods = new Map<string, PodRecords>();

  constructor(process: Process) {
    this.#process = process;
    const { disk } = process.host;
    for (const file of disk.list(SANDBOXES)) {
      const sandbox = latest<SandboxRecord>(disk.read(file));
      if (sandbox !== undefined) this.#sandboxes.set(sandbox.id, sandbox);
    }
    for (const file of disk.list(CONTAINERS)) {
      const container = latest<ContainerRecord>(disk.read(file));
      if (container !== undefined && this.#sandboxes.has(container.sandboxId)) this.#containers.set(container.id, container);
    }
    const uids = new Set([...this.#sandboxes.values()].map((sandbox) => sandbox.podUid));
    for (const uid of [...uids].sort()) this.#rebuild(uid);
  }

  /** All pods, by uid in code-unit order. */
  all(): readonly PodRecords[] {
    return [...this.#pods.keys()].sort().map((uid) => this.#pods.get(uid) as PodRecords);
  }

  sandbox(id: string): SandboxRecord | undefined {
    return this.#sandboxes.get(id);
  }

  container(id: string): ContainerRecord | undefined {
    return this.#containers.get(id);
  }

  containersOf(sandboxId: string): readonly ContainerRecord[] {
    const uid = this.#sandboxes.get(sandboxId)?.podUid ?? '';
    return (this.#pods.get(uid)?.containers ?? []).filter((container) => container.sandboxId === sandboxId);
  }

  setSandbox(sandbox: SandboxRecord): PodRecords {
    const isNew = !this.#sandboxes.has(sandbox.id);
    this.#write(`${SANDBOXES}${sandbox.id}`, sandbox, isNew);
    const before = this.#sandboxes.get(sandbox.id);
    this.#sandboxes.set(sandbox.id, sandbox);
    const pod = this.#pods.get(sandbox.podUid);
    const sandboxes = pod?.sandboxes ?? [];
    return this.#setPod({
      podUid: sandbox.podUid,
      namespace: sandbox.namespace,
      name: sandbox.name,
      sandboxes: before === undefined ? [sandbox, ...sandboxes] : sandboxes.map((other) => (other.id === sandbox.id ? sandbox : other)),
      containers: pod?.containers ?? [],
    });
  }

  setContainer(container: ContainerRecord): PodRecords | undefined {
    const before = this.#containers.get(container.id);
    this.#write(`${CONTAINERS}${container.id}`, container, before === undefined);
    this.#containers.set(container.id, container);
    const pod = this.#pods.get(container.podUid);
    if (pod === undefined) return undefined;
    const containers =
      before === undefined
        ? [container, ...pod.containers]
        : pod.containers.map((other) => (other.id === container.id ? container : other));
    return this.#setPod({ ...pod, containers });
  }

  removeSandbox(id: string): PodRecords | undefined {
    const sandbox = this.#sandboxes.get(id);
    if (sandbox === undefined) return undefined;
    this.#sandboxes.delete(id);
    this.#process.host.disk.remove(this.#process, `${SANDBOXES}${id}`);
    const pod = this.#pods.get(sandbox.podUid);
    return pod === undefined ? undefined : this.#setPod({ ...pod, sandboxes: pod.sandboxes.filter((other) => other.id !== id) });
  }

  removeContainer(id: string): PodRecords | undefined {
    const container = this.#containers.get(id);
    if (container === undefined) return undefined;
    this.#containers.delete(id);
    this.#process.host.disk.remove(this.#process, `${CONTAINERS}${id}`);
    const pod = this.#pods.get(container.podUid);
    return pod === undefined ? undefined : this.#setPod({ ...pod, containers: pod.containers.filter((other) => other.id !== id) });
  }

  #setPod(pod: PodRecords): PodRecords {
    if (pod.sandboxes.length === 0 && pod.containers.length === 0) this.#pods.delete(pod.podUid);
    else this.#pods.set(pod.podUid, pod);
    return pod;
  }

  #rebuild(uid: string): void {
    const sandboxes = [...this.#sandboxes.values()].filter((sandbox) => sandbox.podUid === uid).sort((a, b) => b.attempt - a.attempt);
    const newest = sandboxes[0];
    if (newest === undefined) return;
    const containers = [...this.#containers.values()]
      .filter((container) => container.podUid === uid)
      .sort((a, b) => b.createdAtUs - a.createdAtUs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    this.#pods.set(uid, { podUid: uid, namespace: newest.namespace, name: newest.name, sandboxes, containers });
  }

  #write(file: string, record: SandboxRecord | ContainerRecord, sync: boolean): void {
    const { disk } = this.#process.host;
    disk.append(this.#process, file, record, RECORD_BYTES);
    if (sync) disk.fsyncThen(this.#process, file, nothing);
  }
}

function nothing(): void {
  // The answer is not waited for: see the class comment.
}

function latest<T>(
  records: readonly { readonly value: unknown; readonly torn?: boolean; readonly rotten?: boolean }[] | undefined,
): T | undefined {
  for (let i = (records?.length ?? 0) - 1; i >= 0; i--) {
    const record = records?.[i];
    if (record !== undefined && record.torn !== true && record.rotten !== true) return record.value as T;
  }
  return undefined;
}
