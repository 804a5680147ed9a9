import type { Json } from '../../../model/api/object.ts';
import { formatMicroTime, formatTime } from '../../../model/api/time.ts';
import type { Node } from '../../../model/api/types.ts';
import { LEASES, NODES } from '../../../model/client/resources.ts';
import { isNotFound } from '../../../model/client/result.ts';
import type { Client } from '../../../model/client/typed-client.ts';
import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import type { Micros } from '../../../sim/time.ts';
import { untilAnswered } from './until-answered.ts';
import type { RecordedNode } from './recording.ts';

const defaultCapacity = { cpu: '8', memory: '16Gi', pods: '110', 'ephemeral-storage': '100Gi' };

interface FakeNode {
  readonly spec: RecordedNode;
  running: boolean;
  ready: boolean;
  /** Which of the pressures the kubelet reports. */
  readonly pressures: Set<Pressure>;
  readonly index: number;
}

export type Pressure = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure';

/** Reason and message of the three conditions, present and absent: upstream pkg/kubelet/nodestatus/setters.go. */
const pressureTexts: readonly (readonly [Pressure, readonly [string, string], readonly [string, string]])[] = [
  [
    'MemoryPressure',
    ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
    ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ],
  ['DiskPressure', ['KubeletHasDiskPressure', 'kubelet has disk pressure'], ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure']],
  [
    'PIDPressure',
    ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
    ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ],
];

/** The Node objects of a recorded scenario and what their kubelets do for them: registration, leases, conditions. */
export class FakeNodes {
  readonly #process: Process;
  readonly #client: Client;
  readonly #leasePeriod: Micros;
  readonly #onReturn: (node: string) => void;
  readonly #nodes = new Map<string, FakeNode>();

  /** `onReturn`: a node reaches the API server again after it did not for a while. */
  constructor(process: Process, client: Client, leasePeriodUs: Micros, onReturn: (node: string) => void) {
    this.#onReturn = onReturn;
    this.#process = process;
    this.#client = client;
    this.#leasePeriod = leasePeriodUs;
  }

  isRunning(name: string): boolean {
    return this.#nodes.get(name)?.running === true;
  }

  /** The node's own address. */
  ipOf(name: string): string {
    return `10.0.0.${this.#nodes.get(name)?.index ?? 0}`;
  }

  #conditions({ ready, pressures }: FakeNode): Json[] {
    const now = formatTime(this.#process.wall());
    const condition = (type: string, status: string, reason: string, message: string): Json => ({
      type,
      status,
      reason,
      message,
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    });
    return [
      ...pressureTexts.map(([type, present, absent]) =>
        pressures.has(type) ? condition(type, 'True', ...present) : condition(type, 'False', ...absent),
      ),
      ready
        ? condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
        : condition('Ready', 'False', 'KubeletNotReady', 'container runtime is down'),
    ];
  }

  *add(spec: RecordedNode): Task<void> {
    const node: FakeNode = { spec, running: true, ready: spec.ready ?? true, pressures: new Set(), index: this.#nodes.size + 1 };
    this.#nodes.set(spec.name, node);
    const capacity = { ...defaultCapacity, ...spec.capacity };
    const object: Node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: spec.name,
        labels: {
          'beta.kubernetes.io/arch': 'amd64',
          'beta.kubernetes.io/os': 'linux',
          'kubernetes.io/arch': 'amd64',
          'kubernetes.io/hostname': spec.name,
          'kubernetes.io/os': 'linux',
          ...spec.labels,
        },
      },
      spec: {
        ...(spec.taints !== undefined ? { taints: spec.taints as NonNullable<Node['spec']>['taints'] & object } : {}),
        ...(spec.unschedulable === true ? { unschedulable: true } : {}),
      },
      status: {
        capacity,
        allocatable: capacity,
        conditions: this.#conditions(node) as unknown as NonNullable<NonNullable<Node['status']>['conditions']>,
        addresses: [
          { type: 'InternalIP', address: this.ipOf(spec.name) },
          { type: 'Hostname', address: spec.name },
        ],
        ...(spec.images !== undefined ? { images: spec.images } : {}),
      },
    };
    yield* untilAnswered(this.#process, () => this.#client.resource(NODES).create(object));
    this.#process.spawn(`lease ${spec.name}`, this.#renewLease(node));
  }

  *#renewLease(node: FakeNode): Task<void> {
    const { name } = node.spec;
    const process = this.#process;
    let cutOff = false;
    for (;;) {
      if (this.#nodes.get(name) !== node) return;
      if (node.running) {
        const renewed = yield* this.#renewOnce(name);
        // Who was cut off may have been given up meanwhile: a kubelet puts that right as soon as it can.
        if (renewed && cutOff) {
          yield* this.#postStatus(node);
          this.#onReturn(name);
        }
        cutOff = !renewed;
      }
      yield* process.sleep(this.#leasePeriod);
    }
  }

  *remove(name: string): Task<void> {
    this.#nodes.delete(name);
    yield* untilAnswered(this.#process, () => this.#client.resource(NODES).delete('', name));
  }

  stop(name: string): void {
    const node = this.#nodes.get(name);
    if (node !== undefined) node.running = false;
  }

  *startAgain(name: string): Task<void> {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    node.running = true;
    this.#process.spawn(`lease ${name} again`, this.#renewOnce(name));
    yield* this.#postStatus(node);
  }

  *#renewOnce(name: string): Task<boolean> {
    const leases = this.#client.resource(LEASES);
    const limit = { timeoutUs: this.#leasePeriod };
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: formatMicroTime(this.#process.wall()) };
    const current = yield* leases.get('kube-node-lease', name, limit);
    if (current.ok) return (yield* leases.update({ ...current.object, spec: { ...current.object.spec, ...spec } }, limit)).ok;
    if (!isNotFound(current)) return false;
    const metadata = { namespace: 'kube-node-lease', name };
    return (yield* leases.create({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }, limit)).ok;
  }

  *#postStatus(node: FakeNode): Task<void> {
    yield* untilAnswered(this.#process, () =>
      this.#client
        .resource(NODES)
        .patch('', node.spec.name, 'strategic', { status: { conditions: this.#conditions(node) } }, { subresource: 'status' }),
    );
  }

  *setReady(name: string, ready: boolean): Task<void> {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    node.ready = ready;
    yield* this.#postStatus(node);
  }

  *setPressure(name: string, pressure: Pressure, present: boolean): Task<void> {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    if (present) node.pressures.add(pressure);
    else node.pressures.delete(pressure);
    yield* this.#postStatus(node);
  }

  *setCapacity(name: string, capacity: { readonly [key: string]: string }): Task<void> {
    yield* untilAnswered(this.#process, () =>
      this.#client.resource(NODES).patch('', name, 'strategic', { status: { capacity, allocatable: capacity } }, { subresource: 'status' }),
    );
  }
}
