import { SECOND, type Micros } from '../../../sim/time.ts';
import type { World } from '../../../sim/world.ts';
import type { Event, Node, Pod } from '../../../model/api/types.ts';
import { Informer } from '../../../model/client/informer.ts';
import { EVENTS, NODES, PODS } from '../../../model/client/resources.ts';
import type { Client } from '../../../model/client/typed-client.ts';
import type { Facts } from '../../../model/facts.ts';
import type { Machine } from '../../../model/kubelet/runtime/machine.ts';
import { nodeFieldsOf } from './node-changes.ts';
import { changes, type Fields, fieldsOf } from './pod-changes.ts';

export interface SeenUpdate {
  readonly t: number;
  readonly set: Record<string, unknown>;
}

export interface SeenEvent {
  t: number;
  readonly object: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly field: string;
  count: number;
}

type Lines = readonly (readonly [number, string])[];

/** Watches what the simulated kubelet does, in the recording's terms. */
export class Observer {
  readonly pods: Record<string, SeenUpdate[]> = {};
  readonly node: SeenUpdate[] = [];
  readonly #world: World;
  readonly #start: Micros;
  readonly #fields = new Map<string, Fields>();
  readonly #names = new Map<string, string>();
  readonly #ids = new Map<string, Map<string, string>>();
  readonly #ips = new Map<string, Map<string, string>>();
  readonly #events = new Map<string, SeenEvent>();
  /** By pod uid, then by container. */
  readonly #logs = new Map<string, { readonly name: string; readonly containers: Record<string, [number, string][]> }>();
  /** Pods that are gone from the API, and those whose logs are lost. */
  readonly #gone = new Set<string>();
  readonly #lost = new Set<string>();
  #piped: { readonly uid: string; readonly name: string; readonly container: string; readonly line: string }[] = [];
  #nodeFields: Fields | undefined;

  /** `start`: when the scenario starts. */
  constructor(world: World, start: Micros) {
    this.#world = world;
    this.#start = start;
  }

  /** Seconds since the scenario's start, to the hundredth. */
  now(): number {
    return Math.round(((this.#world.now - this.#start) / SECOND) * 100) / 100;
  }

  /** Follows the pods and events of a namespace, and the node. */
  watch(client: Client, namespace: string, nodeName: string): void {
    const pods = new Informer<Pod>(client.transport, PODS, { namespace, watchList: true });
    pods.addHandler({
      onAdd: (pod) => this.#podSeen(pod),
      onUpdate: (_before, pod) => this.#podSeen(pod),
      onDelete: (pod) => this.#podGone(pod),
    });
    pods.start();
    const events = new Informer<Event>(client.transport, EVENTS, { namespace, watchList: true });
    events.addHandler({ onAdd: (event) => this.#eventSeen(event), onUpdate: (_before, event) => this.#eventSeen(event) });
    events.start();
    const nodes = new Informer<Node>(client.transport, NODES, { fieldSelector: `metadata.name=${nodeName}`, watchList: true });
    nodes.addHandler({ onAdd: (node) => this.#nodeSeen(node), onUpdate: (_before, node) => this.#nodeSeen(node) });
    nodes.start();
  }

  /** Follows the programs in the containers. */
  listen(bench: { readonly machine: Machine; readonly facts: Facts; readonly runtimeAlive: () => boolean }): void {
    const { machine, facts, runtimeAlive } = bench;
    const running = new Map<string, string>();
    const ended = new Set<string>();
    machine.onLog = (pod, container, attempt, line) => {
      const uid = pod.metadata.uid ?? '';
      const file = `${uid}/${container}/${attempt}`;
      running.set(`${uid}/${container}`, file);
      // A second file of the same name (an init container that was purged and run again) is not told from the first by who reads it.
      if (this.#lost.has(uid) || ended.has(file)) return;
      // Lines go through the runtime. While it is away they wait in a pipe, which is gone when its writer is.
      if (runtimeAlive()) this.#logged(uid, pod.metadata.name ?? '', container, line);
      else this.#piped.push({ uid, name: pod.metadata.name ?? '', container, line });
    };
    facts.containerStopped.subscribe((_node, key, uid, container, _id, code) => {
      ended.add(running.get(`${uid}/${container}`) ?? '');
      if (!runtimeAlive()) this.#piped = this.#piped.filter((entry) => entry.uid !== uid || entry.container !== container);
      this.#logged(uid, key.slice(key.indexOf('/') + 1), container, `died ${code}`);
    });
  }

  /** The runtime is back, and reads what waits in the pipes. */
  runtimeStarted(): void {
    for (const { uid, name, container, line } of this.#piped) this.#logged(uid, name, container, line);
    this.#piped = [];
  }

  /** A kubelet that starts takes away the log folders of pods that it does not know: what goes on running there writes for nobody. */
  kubeletStarted(): void {
    for (const uid of this.#gone) this.#lost.add(uid);
  }

  /** The uid of the newest pod of that name. */
  uidOf(pod: string): string {
    let found = '';
    for (const [uid, key] of this.#names) if (key === pod || key.startsWith(`${pod}<`)) found = uid;
    return found;
  }

  /** Counts start over when the kubelet does; the recordings add them up. */
  events(): readonly SeenEvent[] {
    const merged = new Map<string, SeenEvent>();
    for (const event of this.#events.values()) {
      const key = [event.object, event.type, event.reason, event.message, event.field].join('|');
      const known = merged.get(key);
      if (known === undefined) merged.set(key, { ...event });
      else known.count += event.count;
    }
    return [...merged.values()];
  }

  /** What the programs noticed, by pod and container. Static pods have uids that the API does not show: they are numbered last. */
  program(): Readonly<Record<string, Readonly<Record<string, Lines>>>> {
    const out: Record<string, Readonly<Record<string, Lines>>> = {};
    for (const [uid, { name, containers }] of this.#logs) out[this.#keyOf(uid, name)] = containers;
    return out;
  }

  #keyOf(uid: string, name: string): string {
    const known = this.#names.get(uid);
    if (known !== undefined) return known;
    let key = name;
    for (let n = 2; [...this.#names.values()].includes(key); n++) key = `${name}<${n}>`;
    this.#names.set(uid, key);
    return key;
  }

  #podSeen(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    const key = this.#keyOf(uid, pod.metadata.name ?? '');
    const ids = numbered(this.#ids, uid, 'id');
    const ips = numbered(this.#ips, uid, 'podIP');
    const hostIp = pod.spec.hostNetwork === true;
    const fields = fieldsOf(pod, ids, (ip) => (hostIp ? '<hostIP>' : ip.startsWith('10.244.') ? ips(ip) : ip));
    const set = changes(this.#fields.get(uid) ?? {}, fields);
    this.#fields.set(uid, fields);
    if (Object.keys(set).length === 0) return;
    const list = this.pods[key] ?? [];
    this.pods[key] = list;
    list.push({ t: this.now(), set });
  }

  #podGone(pod: Pod): void {
    this.#gone.add(pod.metadata.uid ?? '');
    this.#podSeen(pod);
    this.pods[this.#keyOf(pod.metadata.uid ?? '', pod.metadata.name ?? '')]?.push({ t: this.now(), set: { object: 'deleted' } });
  }

  #eventSeen(event: Event): void {
    const { involvedObject } = event;
    const found: SeenEvent = {
      t: this.now(),
      object: this.#names.get(involvedObject.uid ?? '') ?? involvedObject.name ?? '',
      type: event.type ?? '',
      reason: event.reason ?? '',
      message: event.message ?? '',
      field: involvedObject.fieldPath ?? '',
      count: event.count ?? 1,
    };
    const key = event.metadata.name ?? '';
    const known = this.#events.get(key);
    if (known === undefined) this.#events.set(key, found);
    else known.count = found.count;
  }

  #logged(uid: string, name: string, container: string, line: string): void {
    let log = this.#logs.get(uid);
    if (log === undefined) {
      log = { name, containers: {} };
      this.#logs.set(uid, log);
    }
    const list = log.containers[container] ?? [];
    log.containers[container] = list;
    list.push([this.now(), line]);
  }

  #nodeSeen(node: Node): void {
    const fields = nodeFieldsOf(node);
    const before = this.#nodeFields;
    this.#nodeFields = fields;
    // What the node was when the scenario began is no change.
    if (before === undefined) return;
    const set = changes(before, fields);
    if (Object.keys(set).length > 0 && this.now() >= 0) this.node.push({ t: this.now(), set });
  }
}

function numbered(all: Map<string, Map<string, string>>, uid: string, what: string): (value: string) => string {
  let known = all.get(uid);
  if (known === undefined) {
    known = new Map();
    all.set(uid, known);
  }
  const own = known;
  return (value) => {
    let label = own.get(value);
    if (label === undefined) {
      const n = own.size + 1;
      label = what === 'podIP' && n === 1 ? '<podIP>' : `<${what} ${n}>`;
      own.set(value, label);
    }
    return label;
  };
}
