import type { Topology } from '../faults/topology.ts';
import type { Trace } from '../harness/recorder.ts';
import { text } from '../properties/fields.ts';
import type { ActorKind } from './document.ts';

/** A program, user or client of the run: what a lane stands for. */
export interface Actor {
  readonly name: string;
  readonly host: string;
  readonly kind: ActorKind;
  /** Heading of its lanes. */
  readonly group: string;
}

const CLIENTS = { kind: 'client', group: 'Clients' } as const;

/** Which program is what, by the names that the cluster gives. */
const BY_PREFIX: readonly (readonly [prefix: string, kind: ActorKind, group: string])[] = [
  ['api-', 'api-server', 'API servers'],
  ['etcd-', 'etcd', 'etcd'],
  ['kcm-', 'controller', 'Controllers'],
  ['scheduler-', 'scheduler', 'Controllers'],
  ['cloud', 'controller', 'Controllers'],
  ['kubelet-', 'kubelet', 'Nodes'],
  ['containerd-', 'kubelet', 'Nodes'],
  ['crio-', 'kubelet', 'Nodes'],
  ['kube-proxy-', 'kubelet', 'Nodes'],
];

/** Groups from top to bottom. */
export const GROUPS: readonly string[] = ['Clients', 'API servers', 'etcd', 'Controllers', 'Nodes', 'Applications'];

/** Ports that tell which program of a host an address means, when nobody listened there as the message left. */
const BY_PORT: readonly (readonly [port: string, prefix: string])[] = [
  ['2379', 'etcd-'],
  ['2380', 'etcd-'],
  ['6443', 'api-'],
  ['10250', 'kubelet-'],
];

/** Everybody who does something in a trace, and where. */
export class Actors {
  readonly #actors = new Map<string, Actor>();
  readonly #ofLabel = new Map<string, string>();
  readonly #topology: Topology;
  /** Pods by uid and by address: containers are processes named after the one, connections go to the other. */
  readonly #pods = new Map<string, string>();

  constructor(topology: Topology, trace: Trace) {
    this.#topology = topology;
    for (const host of topology.hosts) for (const program of host.programs) this.#add(program, host.name);
    this.#findPods(trace);
    for (const note of trace.notes) if (note.process !== '' && note.process !== '*') this.#add(this.ofProcess(note.process), note.host);
  }

  /** The actor that a process belongs to: a container's process stands for its pod. */
  ofProcess(process: string): string {
    const uid = /^ctr\/([^/]+)\//.exec(process)?.[1];
    return uid === undefined ? process : (this.#pods.get(uid) ?? process);
  }

  /** The pod that has or had an address. */
  podAt(ip: string): string | undefined {
    return this.#pods.get(ip);
  }

  /** Who holds or held a lease, by the identity that it wrote: `cp-0_3d64a1ea` and the lease's name. */
  ofIdentity(identity: string, lease: string): string | undefined {
    const host = identity.split('_')[0] ?? identity;
    const prefix = lease.includes('scheduler') ? 'scheduler-' : lease.includes('cloud') ? 'cloud' : 'kcm-';
    return this.#actors.has(host) ? host : this.programsOf(host).find((name) => name.startsWith(prefix));
  }

  /** All names, sorted. */
  names(): readonly string[] {
    return [...this.#actors.keys()].sort();
  }

  /** The actor of a name; one that was never seen is a user somewhere outside. */
  get(name: string): Actor {
    return this.#actors.get(name) ?? { name, host: 'outside', ...CLIENTS };
  }

  has(name: string): boolean {
    return this.#actors.has(name);
  }

  /** `etcd-0@cp-0` and `cp-0:2379` both mean etcd-0. */
  ofLabel(label: string): string {
    const known = this.#ofLabel.get(label);
    if (known !== undefined) return known;
    const name = this.#resolve(label);
    this.#ofLabel.set(label, name);
    return name;
  }

  /** Programs of a host, or the program itself: what a fault's lane names cover. */
  programsOf(hostOrProgram: string): readonly string[] {
    const host = this.#topology.hosts.find((candidate) => candidate.name === hostOrProgram);
    if (host === undefined) return this.#actors.has(hostOrProgram) ? [hostOrProgram] : [];
    return [...this.#actors.values()]
      .filter((actor) => actor.host === host.name)
      .map((actor) => actor.name)
      .sort();
  }

  isHost(name: string): boolean {
    return this.#topology.hosts.some((host) => host.name === name);
  }

  zoneOf(host: string): string {
    return this.#topology.hosts.find((candidate) => candidate.name === host)?.zone ?? '';
  }

  /** Who stands for a subject of a witness: a program itself, a node by its kubelet, a pod's node is not known here. */
  standingFor(subject: string): string | undefined {
    if (this.#actors.has(subject)) return subject;
    const kubelet = `kubelet-${subject}`;
    if (this.#actors.has(kubelet)) return kubelet;
    return this.isHost(subject) ? this.programsOf(subject)[0] : undefined;
  }

  #resolve(label: string): string {
    const at = label.indexOf('@');
    if (at > 0) {
      const name = this.ofProcess(label.slice(0, at));
      this.#add(name, label.slice(at + 1));
      return name;
    }
    const colon = label.indexOf(':');
    if (colon < 0) return label;
    const host = label.slice(0, colon);
    const pod = this.#pods.get(host);
    if (pod !== undefined) return pod;
    const port = label.slice(colon + 1);
    const prefix = BY_PORT.find(([start]) => port.startsWith(start))?.[1];
    const program = prefix === undefined ? undefined : this.programsOf(host).find((name) => name.startsWith(prefix));
    if (program === undefined) this.#add(label, host);
    return program ?? label;
  }

  #findPods(trace: Trace): void {
    for (const { channel, args } of trace.facts) {
      if (channel === 'containerStarted') this.#pods.set(String(args[2]), String(args[1]));
      else if (channel === 'objectChanged' && String(args[1]).startsWith('/registry/pods/') && args[2] !== undefined) {
        const ip = text(args[2], 'status', 'podIP');
        if (ip !== '') this.#pods.set(ip, String(args[1]).slice('/registry/pods/'.length));
      }
    }
  }

  #add(name: string, host: string): Actor {
    const known = this.#actors.get(name);
    if (known !== undefined) return known;
    const row = BY_PREFIX.find(([prefix]) => name.startsWith(prefix));
    const role = this.#topology.hosts.find((candidate) => candidate.name === host)?.role;
    const actor: Actor =
      row !== undefined
        ? { name, host, kind: row[1], group: row[2] }
        : role === 'worker'
          ? { name, host, kind: 'app', group: 'Applications' }
          : role === 'control-plane'
            ? { name, host, kind: 'controller', group: 'Controllers' }
            : { name, host, ...CLIENTS };
    this.#actors.set(name, actor);
    return actor;
  }
}
