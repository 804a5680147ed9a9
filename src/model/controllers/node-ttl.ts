import type { Node } from '../api/types.ts';
import type { Informer } from '../client/informer.ts';
import { NODES } from '../client/resources.ts';
import { isNotFound } from '../client/result.ts';
import { type ReconcileError, runWorkers, WorkQueue } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import type { ControllerContext, ControllerRow } from './context.ts';

const ANNOTATION = 'node.alpha.kubernetes.io/ttl';
/** Upstream ttlBoundaries: sizes overlap, so that a cluster at a boundary does not flap. */
const BOUNDARIES: readonly { readonly min: number; readonly max: number; readonly seconds: number }[] = [
  { min: 0, max: 100, seconds: 0 },
  { min: 90, max: 500, seconds: 15 },
  { min: 450, max: 1000, seconds: 30 },
  { min: 900, max: 2000, seconds: 60 },
  { min: 1800, max: Number.POSITIVE_INFINITY, seconds: 300 },
];

/** Tells kubelets by an annotation how long they may cache secrets, by the size of the cluster: pkg/controller/ttl. */
export const nodeTtlController: ControllerRow = {
  name: 'ttl-controller',
  start(context: ControllerContext): void {
    const nodes: Informer<Node> = context.informer(NODES);
    const queue = new WorkQueue(context.process);
    let count = 0;
    let step = 0;
    const boundary = () => BOUNDARIES[step] as (typeof BOUNDARIES)[number];
    nodes.addHandler({
      onAdd: (node) => {
        count++;
        if (count > boundary().max) step++;
        queue.add(node.metadata.name ?? '');
      },
      onUpdate: (before, node) => {
        if (before.metadata.annotations !== node.metadata.annotations) queue.add(node.metadata.name ?? '');
      },
      onDelete: () => {
        count--;
        if (count < boundary().min) step--;
      },
    });
    function* sync(name: string): Task<ReconcileError> {
      const node = nodes.get(name);
      const wanted = String(boundary().seconds);
      if (node === undefined || node.metadata.annotations?.[ANNOTATION] === wanted) return undefined;
      const patched = yield* context.client
        .resource(NODES)
        .patch('', name, 'strategic', { metadata: { annotations: { [ANNOTATION]: wanted } } });
      return patched.ok || isNotFound(patched) ? undefined : patched;
    }
    context.whenSynced([nodes], () => {
      runWorkers(context.process, 'node-ttl', queue, context.config.concurrentTtlSyncs, sync);
    });
  },
};
