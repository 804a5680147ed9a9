import type { Node, Pod, Taint, Toleration } from '../api/types.ts';
import { formatTime } from '../api/time.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { NODES, PODS } from '../client/resources.ts';
import { isNotFound } from '../client/result.ts';
import { objectKey, splitKey } from '../client/reflector.ts';
import { type ReconcileError, runWorkers, WorkQueue } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import { MILLISECOND, SECOND, type Micros } from '../../sim/time.ts';
import type { ControllerContext, ControllerRow } from './context.ts';
import { withPodCondition } from './node-conditions.ts';

const DELETE_RETRIES = 5;

interface Scheduled {
  readonly createdAt: Micros;
  readonly fireAt: Micros;
  readonly timer: number;
}

/** Deletes pods that do not tolerate their node's NoExecute taints, or no longer do: pkg/controller/tainteviction. */
export const taintEvictionController: ControllerRow = {
  name: 'taint-eviction-controller',
  start: (context) => new TaintEviction(context).start(),
};

class TaintEviction {
  readonly #context: ControllerContext;
  readonly #nodes: Informer<Node>;
  readonly #pods: Informer<Pod>;
  readonly #recorder: EventRecorder;
  readonly #nodeQueue: WorkQueue;
  readonly #podQueue: WorkQueue;
  /** NoExecute taints of the nodes that have some. */
  readonly #tainted = new Map<string, readonly Taint[]>();
  readonly #scheduled = new Map<string, Scheduled>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#nodes = context.informer(NODES);
    this.#pods = context.informer(PODS);
    this.#recorder = context.recorder('taint-eviction-controller');
    this.#nodeQueue = new WorkQueue(context.process);
    this.#podQueue = new WorkQueue(context.process);
  }

  start(): void {
    const { process } = this.#context;
    this.#pods.addIndex('spec.nodeName', (pod) => (pod.spec.nodeName === undefined ? [] : [pod.spec.nodeName]));
    this.#nodes.addHandler({
      onAdd: (node) => {
        if (noExecuteTaints(node).length > 0) this.#nodeQueue.add(node.metadata.name ?? '');
      },
      onUpdate: (before, node) => {
        if (!sameTaints(noExecuteTaints(before), noExecuteTaints(node))) this.#nodeQueue.add(node.metadata.name ?? '');
      },
      onDelete: (node) => this.#nodeQueue.add(node.metadata.name ?? ''),
    });
    this.#pods.addHandler({
      onAdd: (pod) => this.#podQueue.add(objectKey(pod)),
      onUpdate: (before, pod) => {
        if (before.spec.nodeName !== pod.spec.nodeName || before.spec.tolerations !== pod.spec.tolerations)
          this.#podQueue.add(objectKey(pod));
      },
      onDelete: (pod) => this.#podQueue.add(objectKey(pod)),
    });
    this.#context.whenSynced([this.#nodes, this.#pods], () => {
      runWorkers(process, 'taint-nodes', this.#nodeQueue, 8, (key) => this.#handleNode(key));
      runWorkers(process, 'taint-pods', this.#podQueue, 8, (key) => this.#handlePod(key));
    });
  }

  // biome-ignore lint/correctness/useYield: workers are tasks
  *#handleNode(name: string): Task<ReconcileError> {
    const node = this.#nodes.get(name);
    if (node === undefined) {
      this.#tainted.delete(name);
      return undefined;
    }
    const taints = noExecuteTaints(node);
    if (taints.length > 0) this.#tainted.set(name, taints);
    else this.#tainted.delete(name);
    for (const pod of this.#pods.byIndex('spec.nodeName', name)) this.#processPod(pod, taints);
    return undefined;
  }

  // biome-ignore lint/correctness/useYield: workers are tasks
  *#handlePod(key: string): Task<ReconcileError> {
    const pod = this.#pods.get(key);
    if (pod === undefined) {
      this.#cancel(key, undefined);
      return undefined;
    }
    const nodeName = pod.spec.nodeName;
    const taints = nodeName === undefined ? undefined : this.#tainted.get(nodeName);
    if (taints !== undefined) this.#processPod(pod, taints);
    return undefined;
  }

  /** Upstream processPodOnNode. */
  #processPod(pod: Pod, taints: readonly Taint[]): void {
    const key = objectKey(pod);
    if (taints.length === 0) {
      this.#cancel(key, pod);
      return;
    }
    const used = matchingTolerations(taints, pod.spec.tolerations ?? []);
    const now = this.#context.process.mono();
    if (used === undefined) {
      this.#cancel(key, pod);
      this.#schedule(key, pod, now, now);
      return;
    }
    const seconds = minTolerationSeconds(used);
    // Tolerated for ever.
    if (seconds === undefined) {
      this.#cancel(key, pod);
      return;
    }
    const before = this.#scheduled.get(key);
    const start = before?.createdAt ?? now;
    const fire = start + seconds * SECOND;
    if (before !== undefined) {
      if (before.fireAt === fire) return;
      // A longer toleration added meanwhile, or a shorter one: the time runs from when the first taint was seen.
      if (fire < now) return;
      this.#context.process.cancel(before.timer);
      this.#scheduled.delete(key);
    }
    this.#schedule(key, pod, start, fire);
  }

  #schedule(key: string, pod: Pod, createdAt: Micros, fireAt: Micros): void {
    const { process } = this.#context;
    const wait = fireAt - process.mono();
    const fire = () => {
      this.#scheduled.delete(key);
      process.spawn(`evict/${key}`, this.#deletePod(key, pod.metadata.uid ?? '', pod.spec.nodeName ?? ''));
    };
    if (wait <= 0) fire();
    else this.#scheduled.set(key, { createdAt, fireAt, timer: process.after(wait, fire) });
  }

  #cancel(key: string, pod: Pod | undefined): void {
    const scheduled = this.#scheduled.get(key);
    if (scheduled === undefined) return;
    this.#context.process.cancel(scheduled.timer);
    this.#scheduled.delete(key);
    const { namespace, name } = splitKey(key);
    const subject = pod ?? { apiVersion: 'v1', kind: 'Pod', namespace, name };
    this.#recorder.event(subject, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`);
  }

  *#deletePod(key: string, uid: string, nodeName: string): Task<void> {
    const { process, client, facts } = this.#context;
    const { namespace, name } = splitKey(key);
    const pods = client.resource(PODS);
    const known = this.#pods.get(key);
    this.#recorder.event(
      known ?? { apiVersion: 'v1', kind: 'Pod', namespace, name },
      'Normal',
      'TaintManagerEviction',
      `Marking for deletion Pod ${key}`,
    );
    for (let attempt = 0; attempt < DELETE_RETRIES; attempt++) {
      if (attempt > 0) yield* process.sleep(10 * MILLISECOND);
      const read = yield* pods.get(namespace, name);
      if (!read.ok) {
        if (isNotFound(read)) return;
        continue;
      }
      const pod = read.object;
      const conditions = withPodCondition(pod, {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByTaintManager',
        message: 'Taint manager: deleting due to NoExecute taint',
        lastTransitionTime: formatTime(process.wall()),
        ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
      });
      if (conditions !== undefined) {
        const condition = conditions.find((one) => one.type === 'DisruptionTarget');
        const patched = yield* pods.patch(
          namespace,
          name,
          'strategic',
          { metadata: { uid: pod.metadata.uid ?? '' }, status: { conditions: [{ ...condition } as never] } },
          { subresource: 'status' },
        );
        if (!patched.ok) {
          if (isNotFound(patched)) return;
          continue;
        }
      }
      const deleted = yield* pods.delete(namespace, name);
      if (deleted.ok) {
        facts.podEvicted.emit(key, uid, nodeName, 'taint');
        return;
      }
      if (isNotFound(deleted)) return;
    }
  }
}

function noExecuteTaints(node: Node): readonly Taint[] {
  return node.spec?.taints?.filter((taint) => taint.effect === 'NoExecute') ?? [];
}

function sameTaints(a: readonly Taint[], b: readonly Taint[]): boolean {
  return (
    a.length === b.length &&
    a.every((taint, i) => taint.key === b[i]?.key && taint.value === b[i]?.value && taint.timeAdded === b[i]?.timeAdded)
  );
}

function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && (toleration.effect as string) !== '' && toleration.effect !== taint.effect) return false;
  const key = toleration.key ?? '';
  if (key !== '' && key !== taint.key) return false;
  switch (toleration.operator ?? 'Equal') {
    case 'Exists':
      return true;
    case 'Equal':
      return key !== '' && (toleration.value ?? '') === (taint.value ?? '');
    default:
      return false;
  }
}

/** The tolerations that match some taint; undefined when a taint has none. */
function matchingTolerations(taints: readonly Taint[], tolerations: readonly Toleration[]): readonly Toleration[] | undefined {
  const used: Toleration[] = [];
  for (const taint of taints) {
    const matching = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (matching.length === 0) return undefined;
    used.push(...matching);
  }
  return used;
}

/** The shortest of the limits; undefined when none has one. Negative counts as 0. */
function minTolerationSeconds(used: readonly Toleration[]): number | undefined {
  let min: number | undefined;
  for (const { tolerationSeconds } of used) {
    if (tolerationSeconds === undefined) continue;
    const seconds = Math.max(0, Number(tolerationSeconds));
    if (min === undefined || seconds < min) min = seconds;
  }
  return min;
}
