import { controllerUid, field, keyOf, text } from './fields.ts';

interface Daemon {
  readonly name: string;
  readonly set: string;
  deleted: boolean;
  node: string;
  containers: number;
}

/** Which pods of DaemonSets run where, by the store and by the nodes. */
export class Daemons {
  readonly #daemons = new Map<string, Daemon>();
  /** Daemons with running containers, by set and node. */
  readonly #running = new Map<string, Set<Daemon>>();
  readonly #uids = new Map<string, string>();
  /** Sets that let a new pod start beside the old one. */
  readonly #surging = new Set<string>();

  set(object: object): void {
    const surge = field(object, 'spec', 'updateStrategy', 'rollingUpdate', 'maxSurge');
    const uid = text(object, 'metadata', 'uid');
    if (surge === undefined || surge === 0 || surge === '0%') this.#surging.delete(uid);
    else this.#surging.add(uid);
  }

  pod(key: string, object: object | undefined): void {
    const before = this.#uids.get(key);
    const uid = object === undefined ? '' : text(object, 'metadata', 'uid');
    if (before !== undefined && before !== uid) {
      const gone = this.#daemons.get(before);
      if (gone !== undefined) gone.deleted = true;
      this.#uids.delete(key);
    }
    if (object === undefined) return;
    const known = this.#daemons.get(uid);
    if (known !== undefined) {
      if (text(object, 'metadata', 'deletionTimestamp') !== '') known.deleted = true;
      return;
    }
    const owner = controllerUid(object);
    const isDaemon = (field(object, 'metadata', 'ownerReferences') as readonly unknown[] | undefined)?.some(
      (o) => text(o, 'kind') === 'DaemonSet',
    );
    if (isDaemon !== true) return;
    this.#uids.set(key, uid);
    this.#daemons.set(uid, {
      name: keyOf(object),
      set: owner,
      deleted: text(object, 'metadata', 'deletionTimestamp') !== '',
      node: '',
      containers: 0,
    });
  }

  /** A container of the pod runs on the node from now on; answers the other daemon of the same set that runs there, if there is one. */
  started(uid: string, node: string): string | undefined {
    const daemon = this.#daemons.get(uid);
    if (daemon === undefined) return undefined;
    daemon.node = node;
    daemon.containers++;
    const place = `${daemon.set} ${node}`;
    let here = this.#running.get(place);
    if (here === undefined) {
      here = new Set();
      this.#running.set(place, here);
    }
    here.add(daemon);
    if (daemon.deleted || this.#surging.has(daemon.set)) return undefined;
    for (const other of here) if (other !== daemon && !other.deleted) return other.name;
    return undefined;
  }

  stopped(uid: string): void {
    const daemon = this.#daemons.get(uid);
    if (daemon === undefined || --daemon.containers > 0) return;
    this.#running.get(`${daemon.set} ${daemon.node}`)?.delete(daemon);
    // What is gone from the store and runs no more needs no record.
    if (daemon.deleted) this.#daemons.delete(uid);
  }
}
