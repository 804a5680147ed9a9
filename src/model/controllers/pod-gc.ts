import type { Node, Pod, PodCondition } from '../api/types.ts';
import { formatTime, parseTime } from '../api/time.ts';
import type { Informer } from '../client/informer.ts';
import { objectKey } from '../client/reflector.ts';
import { NODES, PODS } from '../client/resources.ts';
import { isNotFound } from '../client/result.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import type { ControllerContext, ControllerRow } from './context.ts';
import { hasTaint, nodeCondition, withPodCondition } from './node-conditions.ts';

/** Upstream gcCheckPeriod. */
const CHECK_PERIOD: Micros = 20 * SECOND;
/** Upstream quarantineTime: how long a node must be unknown before its pods are orphans. */
const QUARANTINE: Micros = 40 * SECOND;
const TAINT_OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

/** Removes pods that nobody else will: of nodes that are gone, unscheduled and terminating, too many finished: pkg/controller/podgc. */
export const podGcController: ControllerRow = {
  name: 'pod-garbage-collector-controller',
  start: (context) => new PodGc(context).start(),
};

class PodGc {
  readonly #context: ControllerContext;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  /** Node names without a node, and when they are through their quarantine. */
  readonly #quarantine = new Map<string, Micros>();
  /** Finished pods: the only ones that the threshold counts. */
  readonly #terminated = new Set<string>();
  /** Pods that terminate, or whose node we may not know: all that a check looks at. */
  readonly #suspects = new Set<string>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#pods = context.informer(PODS);
    this.#nodes = context.informer(NODES);
  }

  start(): void {
    const { process } = this.#context;
    this.#pods.addIndex('spec.nodeName', (pod) => (pod.spec.nodeName === undefined ? [] : [pod.spec.nodeName]));
    this.#pods.addHandler({
      onAdd: (pod) => this.#noticed(pod),
      onUpdate: (_, pod) => this.#noticed(pod),
      onDelete: (pod) => {
        this.#terminated.delete(objectKey(pod));
        this.#suspects.delete(objectKey(pod));
      },
    });
    this.#nodes.addHandler({
      onDelete: (node) => {
        for (const pod of this.#pods.byIndex('spec.nodeName', node.metadata.name ?? '')) this.#suspects.add(objectKey(pod));
      },
    });
    this.#context.whenSynced([this.#pods, this.#nodes], () => {
      process.spawn('pod-gc', this.#loop());
    });
  }

  #noticed(pod: Pod): void {
    const key = objectKey(pod);
    if (isTerminated(pod)) this.#terminated.add(key);
    const nodeName = pod.spec.nodeName ?? '';
    if (pod.metadata.deletionTimestamp !== undefined || (nodeName !== '' && this.#nodes.get(nodeName) === undefined))
      this.#suspects.add(key);
  }

  *#loop(): Task<void> {
    const { process } = this.#context;
    for (;;) {
      yield* this.#gc();
      yield* process.sleep(CHECK_PERIOD);
    }
  }

  *#gc(): Task<void> {
    const { config } = this.#context;
    if (config.terminatedPodGcThreshold > 0 && this.#terminated.size > config.terminatedPodGcThreshold) yield* this.#gcTerminated();
    if (this.#suspects.size === 0 && this.#quarantine.size === 0) return;
    const suspects = [...this.#suspects].sort().flatMap((key) => this.#pods.get(key) ?? []);
    for (const pod of suspects) if (isTerminating(pod) && this.#nodeIsOut(pod)) yield* this.#forceDelete(pod, undefined);
    yield* this.#gcOrphaned(suspects);
    for (const pod of suspects) {
      if (isTerminating(pod) && (pod.spec.nodeName ?? '') === '') yield* this.#forceDelete(pod, undefined);
    }
    for (const pod of suspects) {
      const nodeName = pod.spec.nodeName ?? '';
      if (!isTerminating(pod) && (nodeName === '' || this.#nodes.get(nodeName) !== undefined)) this.#suspects.delete(objectKey(pod));
    }
  }

  #nodeIsOut(pod: Pod): boolean {
    const node = this.#nodes.get(pod.spec.nodeName ?? '');
    if (node === undefined || nodeCondition(node, 'Ready')?.status === 'True') return false;
    return hasTaint(node, TAINT_OUT_OF_SERVICE, 'NoExecute') || hasTaint(node, TAINT_OUT_OF_SERVICE, 'NoSchedule');
  }

  /** Upstream gcOrphaned: a node's absence is asked of the API server after the quarantine. */
  *#gcOrphaned(suspects: readonly Pod[]): Task<void> {
    const { process, client } = this.#context;
    const now = process.mono();
    const gone = new Set<string>();
    for (const name of [...this.#quarantine.keys()].sort()) {
      if ((this.#quarantine.get(name) as Micros) > now) continue;
      this.#quarantine.delete(name);
      if (this.#nodes.get(name) !== undefined) continue;
      const read = yield* client.resource(NODES).get('', name);
      if (!read.ok && isNotFound(read)) gone.add(name);
    }
    for (const pod of suspects) {
      const name = pod.spec.nodeName ?? '';
      if (name === '' || this.#nodes.get(name) !== undefined || gone.has(name) || this.#quarantine.has(name)) continue;
      this.#quarantine.set(name, now + QUARANTINE);
    }
    for (const pod of suspects) {
      if (!gone.has(pod.spec.nodeName ?? '')) continue;
      yield* this.#forceDelete(pod, {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByPodGC',
        message: 'PodGC: node no longer exists',
      });
    }
  }

  *#gcTerminated(): Task<void> {
    const excess = this.#terminated.size - this.#context.config.terminatedPodGcThreshold;
    const oldest = [...this.#terminated].flatMap((key) => this.#pods.get(key) ?? []).sort(byEvictionAndCreation);
    for (const pod of oldest.slice(0, excess)) yield* this.#forceDelete(pod, undefined);
  }

  /** Upstream markFailedAndDeletePodWithCondition. */
  *#forceDelete(pod: Pod, condition: PodCondition | undefined): Task<void> {
    const { process, client, facts } = this.#context;
    const { namespace = '', name = '', uid = '' } = pod.metadata;
    const pods = client.resource(PODS);
    if (!isTerminated(pod)) {
      const stamped =
        condition === undefined
          ? undefined
          : withPodCondition(pod, {
              ...condition,
              lastTransitionTime: formatTime(process.wall()),
              ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
            })?.find((one) => one.type === condition.type);
      const status = { phase: 'Failed', ...(stamped === undefined ? {} : { conditions: [{ ...stamped } as never] }) };
      const patched = yield* pods.patch(namespace, name, 'strategic', { metadata: { uid }, status }, { subresource: 'status' });
      if (!patched.ok) return;
    }
    const deleted = yield* pods.delete(namespace, name, { options: { gracePeriodSeconds: 0, preconditions: { uid } } });
    if (deleted.ok) facts.podEvicted.emit(objectKey(pod), uid, pod.spec.nodeName ?? '', 'pod-gc');
  }
}

function isTerminated(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Upstream byEvictionAndCreationTimestamp: what a kubelet evicted goes first, then the oldest. */
export function byEvictionAndCreation(a: Pod, b: Pod): number {
  const evicted = (pod: Pod): boolean => pod.status?.phase === 'Failed' && pod.status.reason === 'Evicted';
  if (evicted(a) !== evicted(b)) return evicted(a) ? -1 : 1;
  const [nameA, nameB] = [a.metadata.name ?? '', b.metadata.name ?? ''];
  return created(a) - created(b) || (nameA !== nameB ? (nameA < nameB ? -1 : 1) : objectKey(a) < objectKey(b) ? -1 : 1);
}

function created(pod: Pod): number {
  return parseTime(pod.metadata.creationTimestamp ?? '') ?? 0;
}
