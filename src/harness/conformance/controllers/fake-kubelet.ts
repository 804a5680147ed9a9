import type { Json } from '../../../model/api/object.ts';
import { formatMicroTime, formatTime } from '../../../model/api/time.ts';
import type { Container, Node, Pod } from '../../../model/api/types.ts';
import { InformerFactory } from '../../../model/client/informer-factory.ts';
import { LEASES, NODES, PODS } from '../../../model/client/resources.ts';
import { ApiTransport } from '../../../model/client/transport.ts';
import { Client } from '../../../model/client/typed-client.ts';
import type { Program } from '../../../sim/host.ts';
import type { Endpoint } from '../../../sim/network.ts';
import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import { MILLISECOND, MINUTE, SECOND, type Micros } from '../../../sim/time.ts';
import type { RecordedNode } from './recording.ts';

const defaultCapacity = { cpu: '8', memory: '16Gi', pods: '110', 'ephemeral-storage': '100Gi' };

/** '500ms', '2s', '1m30s' in microseconds. */
function durationUs(text: string | undefined, otherwise: Micros): Micros {
  if (text === undefined) return otherwise;
  let total = 0;
  for (const match of text.matchAll(/([0-9.]+)(ms|s|m|h)/g)) {
    const unit = { ms: MILLISECOND, s: SECOND, m: MINUTE, h: 60 * MINUTE }[match[2] as 'ms' | 's' | 'm' | 'h'];
    total += Number(match[1]) * unit;
  }
  return text === '0' ? 0 : Math.round(total);
}

/** Spread of what happens at once: as the recordings show it between equal pods. */
const jitter: Micros = 150 * MILLISECOND;

interface Node_ {
  readonly spec: RecordedNode;
  running: boolean;
  ready: boolean;
  index: number;
}

interface PodState {
  pod: Pod;
  phase: 'waiting' | 'running' | 'restarting' | 'done' | 'removed';
  ready: boolean;
  /** Readiness in the status posted last. */
  posted: boolean | undefined;
  restarts: number;
  timers: number[];
  ip: string;
  startedAt: Micros;
  stopping: boolean;
  exitCodeUsed: string | undefined;
}

/** All nodes of a recorded scenario with the fake kubelets of the recordings: README, "The fake kubelet". */
export class FakeKubelets {
  readonly #nodes = new Map<string, Node_>();
  readonly #pods = new Map<string, PodState>();
  readonly #starts = new Map<string, number>();
  #process: Process | undefined;
  #client: Client | undefined;
  #nextIp = 1;
  readonly #leasePeriod: Micros;

  /** Nodes must renew more often than the grace period that the controller manager grants them. */
  constructor(gracePeriodUs: Micros) {
    this.#leasePeriod = Math.min(10 * SECOND, Math.floor(gracePeriodUs / 4));
  }

  program(name: string, servers: readonly Endpoint[]): Program {
    return { name, start: (process) => this.#start(process, servers) };
  }

  #start(process: Process, servers: readonly Endpoint[]): void {
    this.#process = process;
    this.#client = new Client(
      new ApiTransport(process, {
        servers,
        user: { name: 'system:admin', groups: ['system:masters', 'system:authenticated'] },
        userAgent: 'golden',
      }),
    );
    const informers = new InformerFactory(this.#client.transport, {});
    informers.informer(PODS).addHandler({
      onAdd: (pod) => this.#seen(pod),
      onUpdate: (_, pod) => this.#seen(pod),
      onDelete: (pod) => this.#gone(pod),
    });
    informers.start();
  }

  get #p(): Process {
    if (this.#process === undefined) throw new Error('fake kubelets have not started');
    return this.#process;
  }

  get client(): Client {
    if (this.#client === undefined) throw new Error('fake kubelets have not started');
    return this.#client;
  }

  #conditions(ready: boolean): Json[] {
    const now = formatTime(this.#p.wall());
    const condition = (type: string, status: string, reason: string, message: string): Json => ({
      type,
      status,
      reason,
      message,
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    });
    return [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      ready
        ? condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
        : condition('Ready', 'False', 'KubeletNotReady', 'container runtime is down'),
    ];
  }

  *addNode(spec: RecordedNode): Task<void> {
    const node: Node_ = { spec, running: true, ready: spec.ready ?? true, index: this.#nodes.size + 1 };
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
        conditions: this.#conditions(node.ready) as unknown as NonNullable<NonNullable<Node['status']>['conditions']>,
        addresses: [
          { type: 'InternalIP', address: `10.0.0.${node.index}` },
          { type: 'Hostname', address: spec.name },
        ],
        ...(spec.images !== undefined ? { images: spec.images } : {}),
      },
    };
    yield* this.client.resource(NODES).create(object);
    this.#p.spawn(`lease ${spec.name}`, this.#renewLease(node));
  }

  *#renewLease(node: Node_): Task<void> {
    const leases = this.client.resource(LEASES);
    const name = node.spec.name;
    const process = this.#p;
    for (;;) {
      if (this.#nodes.get(name) !== node) return;
      if (node.running) {
        const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: formatMicroTime(process.wall()) };
        const current = yield* leases.get('kube-node-lease', name);
        if (current.ok) yield* leases.update({ ...current.object, spec });
        else
          yield* leases.create({
            apiVersion: 'coordination.k8s.io/v1',
            kind: 'Lease',
            metadata: { namespace: 'kube-node-lease', name },
            spec,
          });
      }
      yield* process.sleep(this.#leasePeriod);
    }
  }

  *removeNode(name: string): Task<void> {
    this.#nodes.delete(name);
    yield* this.client.resource(NODES).delete('', name);
  }

  stop(name: string): void {
    const node = this.#nodes.get(name);
    if (node !== undefined) node.running = false;
  }

  *startAgain(name: string): Task<void> {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    node.running = true;
    this.#p.spawn(`lease ${name} again`, this.#renewOnce(name));
    yield* this.#postStatus(node);
    for (const state of [...this.#pods.values()]) if (state.pod.spec.nodeName === name) this.#catchUp(state);
  }

  *#renewOnce(name: string): Task<void> {
    const leases = this.client.resource(LEASES);
    const current = yield* leases.get('kube-node-lease', name);
    if (current.ok)
      yield* leases.update({ ...current.object, spec: { ...current.object.spec, renewTime: formatMicroTime(this.#p.wall()) } });
  }

  *#postStatus(node: Node_): Task<void> {
    yield* this.client
      .resource(NODES)
      .patch('', node.spec.name, 'strategic', { status: { conditions: this.#conditions(node.ready) } }, { subresource: 'status' });
  }

  *setReady(name: string, ready: boolean): Task<void> {
    const node = this.#nodes.get(name);
    if (node === undefined) return;
    node.ready = ready;
    yield* this.#postStatus(node);
  }

  *setCapacity(name: string, capacity: { readonly [key: string]: string }): Task<void> {
    yield* this.client
      .resource(NODES)
      .patch('', name, 'strategic', { status: { capacity, allocatable: capacity } }, { subresource: 'status' });
  }

  // --- pods -------------------------------------------------------------------------------------------------------------------

  #alive(state: PodState): boolean {
    return this.#nodes.get(state.pod.spec.nodeName ?? '')?.running === true && state.phase !== 'removed';
  }

  #annotation(state: PodState, name: string): string | undefined {
    return state.pod.metadata.annotations?.[`golden/${name}`];
  }

  /** The fake kubelets of the recordings served their pods one after the other; so nothing of theirs happens at one instant here either. */
  #later(state: PodState, delay: Micros, then: () => void): void {
    state.timers.push(
      this.#p.after(delay + this.#p.random.below(jitter), () => {
        if (this.#alive(state)) then();
      }),
    );
  }

  #seen(pod: Pod): void {
    if ((pod.spec.nodeName ?? '') === '') return;
    const uid = pod.metadata.uid ?? '';
    let state = this.#pods.get(uid);
    if (state === undefined) {
      if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return;
      state = {
        pod,
        phase: 'waiting',
        ready: false,
        posted: undefined,
        restarts: 0,
        timers: [],
        ip: '',
        startedAt: 0,
        stopping: false,
        exitCodeUsed: undefined,
      };
      this.#pods.set(uid, state);
      if (this.#alive(state)) this.#begin(state);
      return;
    }
    const before = state.pod;
    state.pod = pod;
    if (!this.#alive(state)) return;
    if (pod.metadata.deletionTimestamp !== undefined && !state.stopping) {
      this.#stop(state);
      return;
    }
    if (state.stopping) return;
    const exitNow = this.#annotation(state, 'exit-now');
    if (exitNow !== undefined && before.metadata.annotations?.['golden/exit-now'] !== exitNow && state.phase === 'running')
      this.#exit(state, Number(exitNow));
    else this.#reviewReadiness(state, before);
  }

  #begin(state: PodState): void {
    if (state.pod.metadata.deletionTimestamp !== undefined) {
      this.#stop(state);
      return;
    }
    if (this.#annotation(state, 'fail-image-pull') !== undefined) {
      const pull = (): void =>
        this.#patch(state, {
          startTime: formatTime(this.#p.wall()),
          conditions: this.#podConditions(state),
          containerStatuses: state.pod.spec.containers.map((container) => ({
            name: container.name,
            image: container.image ?? '',
            imageID: '',
            ready: false,
            restartCount: 0,
            state: { waiting: { reason: 'ErrImagePull', message: 'image cannot be pulled' } },
          })),
        });
      this.#later(state, 500 * MILLISECOND, pull);
      return;
    }
    this.#later(state, durationUs(this.#annotation(state, 'start-after'), 500 * MILLISECOND), () => this.#run(state));
  }

  #run(state: PodState): void {
    if (state.stopping) return;
    state.phase = 'running';
    state.startedAt = this.#p.wall();
    const { pod } = state;
    if (state.ip === '') {
      const node = this.#nodes.get(pod.spec.nodeName ?? '') as Node_;
      state.ip =
        pod.spec.hostNetwork === true ? `10.0.0.${node.index}` : `10.1.${Math.floor(this.#nextIp / 250)}.${(this.#nextIp++ % 250) + 1}`;
    }
    const byHand = this.#annotation(state, 'ready');
    const readyAfter = durationUs(this.#annotation(state, 'ready-after'), 0);
    const never = this.#annotation(state, 'never-ready') !== undefined;
    state.ready = byHand !== undefined ? byHand === 'true' : readyAfter === 0 && !never;
    this.#writeStatus(state);
    if (byHand === undefined && !state.ready && !never) {
      this.#later(state, readyAfter, () => {
        if (state.phase !== 'running' || state.stopping || this.#annotation(state, 'ready') !== undefined) return;
        state.ready = true;
        this.#writeStatus(state);
      });
    }
    const unreadyAfter = this.#annotation(state, 'unready-after');
    if (unreadyAfter !== undefined) {
      this.#later(state, durationUs(unreadyAfter, 0), () => {
        if (state.phase !== 'running' || state.stopping) return;
        state.ready = false;
        this.#writeStatus(state);
      });
    }
    const exitAfter = this.#annotation(state, 'exit-after');
    if (exitAfter !== undefined) {
      const code = this.#exitCode(state);
      // Of the two that are due together, readiness came first in the recordings.
      const together = readyAfter === durationUs(exitAfter, 0) ? 100 * MILLISECOND : 0;
      this.#later(state, durationUs(exitAfter, 0) + together, () => {
        if (state.phase === 'running' && !state.stopping) this.#exit(state, code);
      });
    }
  }

  /** Codes by the order in which the pods of one controller (and index) start. */
  #exitCode(state: PodState): number {
    const index = state.pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index'];
    const ofIndex = index === undefined ? undefined : this.#annotation(state, `exit-codes-index-${index}`);
    const list = ofIndex ?? this.#annotation(state, 'exit-codes');
    if (list === undefined) return Number(this.#annotation(state, 'exit-code') ?? '0');
    const owner =
      state.pod.metadata.ownerReferences?.find((reference) => reference.controller === true)?.uid ?? state.pod.metadata.uid ?? '';
    const key = `${owner}/${index ?? ''}`;
    const nth = this.#starts.get(key) ?? 0;
    this.#starts.set(key, nth + 1);
    const codes = list.split(',');
    return Number(codes[Math.min(nth, codes.length - 1)]);
  }

  #exit(state: PodState, code: number): void {
    const policy = state.pod.spec.restartPolicy ?? 'Always';
    const restarts = policy === 'Always' || (policy === 'OnFailure' && code !== 0);
    state.ready = false;
    if (restarts) {
      state.phase = 'restarting';
      state.restarts++;
      this.#writeStatus(state);
      this.#later(state, durationUs(this.#annotation(state, 'restart-after'), SECOND), () => {
        if (!state.stopping) this.#run(state);
      });
      return;
    }
    this.#finish(state, code);
  }

  #finish(state: PodState, code: number): void {
    state.phase = 'done';
    state.ready = false;
    const phase = code === 0 ? 'Succeeded' : 'Failed';
    const reason = code === 0 ? 'PodCompleted' : 'PodFailed';
    const now = formatTime(this.#p.wall());
    this.#patch(state, {
      phase,
      conditions: [...this.#podConditions(state, reason)],
      containerStatuses: state.pod.spec.containers.map((container) => ({
        name: container.name,
        image: container.image ?? '',
        imageID: '',
        ready: false,
        started: false,
        restartCount: state.restarts,
        state: {
          terminated: {
            exitCode: code,
            reason: code === 0 ? 'Completed' : 'Error',
            startedAt: formatTime(state.startedAt),
            finishedAt: now,
          },
        },
      })),
    });
  }

  #reviewReadiness(state: PodState, before: Pod): void {
    const byHand = this.#annotation(state, 'ready');
    if (byHand !== undefined && byHand !== before.metadata.annotations?.['golden/ready'] && state.phase === 'running') {
      const ready = byHand === 'true';
      if (ready !== state.ready) {
        state.ready = ready;
        this.#writeStatus(state);
      }
      return;
    }
    if (state.phase !== 'running' || (state.pod.spec.readinessGates ?? []).length === 0) return;
    const shown = state.pod.status?.conditions?.find((condition) => condition.type === 'Ready')?.status === 'True';
    if (shown !== (state.ready && gatesOpen(state.pod))) this.#writeStatus(state);
  }

  #podConditions(state: PodState, doneReason?: string): Json[] {
    const now = formatTime(this.#p.wall());
    // Absent texts are written as null: a merge would keep the old ones.
    const condition = (type: string, status: string, reason: string | null = null, message: string | null = null): Json => {
      const old = state.pod.status?.conditions?.find((other) => other.type === type);
      const since = old?.status === status && old.lastTransitionTime !== undefined ? old.lastTransitionTime : now;
      return { type, status, lastProbeTime: null, lastTransitionTime: since, reason, message };
    };
    const ready = state.ready ? 'True' : 'False';
    const open = gatesOpen(state.pod);
    const why = doneReason ?? (state.ready ? undefined : 'ContainersNotReady');
    const unready =
      doneReason === undefined && !state.ready
        ? `containers with unready status: [${state.pod.spec.containers.map((container) => container.name).join(' ')}]`
        : undefined;
    return [
      condition('PodReadyToStartContainers', doneReason === undefined ? 'True' : 'False'),
      condition('Initialized', 'True'),
      condition('ContainersReady', ready, why, unready),
      state.ready && !open
        ? condition('Ready', 'False', 'ReadinessGatesNotReady', 'corresponding condition of pod readiness gate does not exist.')
        : condition('Ready', ready, why, unready),
      condition('PodScheduled', 'True'),
    ];
  }

  #writeStatus(state: PodState): void {
    state.posted = state.ready;
    const { pod } = state;
    const node = this.#nodes.get(pod.spec.nodeName ?? '') as Node_;
    const waiting = state.phase === 'restarting';
    const containerStatus = (container: Container): Json => ({
      name: container.name,
      image: container.image ?? '',
      imageID: '',
      ready: state.ready,
      started: !waiting,
      restartCount: state.restarts,
      state: waiting ? { waiting: { reason: 'CrashLoopBackOff' } } : { running: { startedAt: formatTime(state.startedAt) } },
    });
    this.#patch(state, {
      phase: 'Running',
      startTime: pod.status?.startTime ?? formatTime(state.startedAt),
      podIP: state.ip,
      podIPs: [{ ip: state.ip }],
      hostIP: `10.0.0.${node.index}`,
      hostIPs: [{ ip: `10.0.0.${node.index}` }],
      conditions: this.#podConditions(state),
      containerStatuses: pod.spec.containers.map(containerStatus),
    });
  }

  #patch(state: PodState, status: { readonly [key: string]: Json }): void {
    const { metadata } = state.pod;
    const patch = { metadata: { uid: metadata.uid ?? '' }, status };
    this.#p.spawn(
      'pod status',
      this.client.resource(PODS).patch(metadata.namespace ?? '', metadata.name ?? '', 'strategic', patch, { subresource: 'status' }),
    );
  }

  #stop(state: PodState): void {
    state.stopping = true;
    for (const timer of state.timers.splice(0)) this.#p.cancel(timer);
    const grace = (state.pod.metadata.deletionGracePeriodSeconds ?? 30) * SECOND;
    if (state.phase === 'done') {
      this.#remove(state);
      return;
    }
    const started = state.phase === 'running' || state.phase === 'restarting';
    const delay = started ? Math.min(durationUs(this.#annotation(state, 'stop-after'), 500 * MILLISECOND), grace) : 100 * MILLISECOND;
    this.#later(state, delay, () => {
      this.#finish(state, started ? Number(this.#annotation(state, 'stop-exit-code') ?? '0') : 1);
      this.#remove(state);
    });
  }

  #remove(state: PodState): void {
    const { metadata } = state.pod;
    this.#p.spawn('pod removal', this.#delete(metadata.namespace ?? '', metadata.name ?? '', metadata.uid ?? ''));
  }

  *#delete(namespace: string, name: string, uid: string): Task<void> {
    yield* this.client.resource(PODS).delete(namespace, name, { options: { gracePeriodSeconds: 0, preconditions: { uid } } });
  }

  /** What a kubelet does that was away: continues where it stands by now. */
  #catchUp(state: PodState): void {
    if (state.pod.metadata.deletionTimestamp !== undefined) {
      state.stopping = false;
      this.#stop(state);
    } else if (state.phase === 'waiting') this.#begin(state);
    // A status that did not change meanwhile is not posted again, whatever somebody else wrote.
    else if (state.phase === 'running' && state.ready !== state.posted) this.#writeStatus(state);
  }

  #gone(pod: Pod): void {
    const state = this.#pods.get(pod.metadata.uid ?? '');
    if (state === undefined) return;
    state.phase = 'removed';
    for (const timer of state.timers) this.#p.cancel(timer);
    this.#pods.delete(pod.metadata.uid ?? '');
  }
}

function gatesOpen(pod: Pod): boolean {
  return (pod.spec.readinessGates ?? []).every(
    (gate) => pod.status?.conditions?.some((condition) => condition.type === gate.conditionType && condition.status === 'True') === true,
  );
}
