import type { Node, Pod } from '../api/types.ts';
import type { InformerFactory } from '../client/informer-factory.ts';
import type { InformerHandler } from '../client/informer.ts';
import { NODES, PERSISTENT_VOLUMES, PERSISTENT_VOLUME_CLAIMS, PODS, STORAGE_CLASSES } from '../client/resources.ts';
import type { Scheduler } from './scheduler.ts';

/** Finished pods use nothing: the scheduler does not even watch them. */
const unfinishedPods = 'status.phase!=Failed,status.phase!=Succeeded';

function isAssigned(pod: Pod): boolean {
  return (pod.spec.nodeName ?? '') !== '';
}

function labelsOf(pod: Pod): string {
  return JSON.stringify(pod.metadata.labels ?? {});
}

/** Changes of a waiting pod that may make it schedulable: labels, tolerations, gates. Upstream PodSchedulingPropertiesChange. */
function requeues(previous: Pod, next: Pod): boolean {
  if (previous.spec !== next.spec) {
    if ((previous.spec.schedulingGates ?? []).length > (next.spec.schedulingGates ?? []).length) return true;
    if (JSON.stringify(previous.spec.tolerations ?? []) !== JSON.stringify(next.spec.tolerations ?? [])) return true;
    if (JSON.stringify(previous.spec.nodeSelector ?? {}) !== JSON.stringify(next.spec.nodeSelector ?? {})) return true;
    if (previous.spec.affinity !== next.spec.affinity && JSON.stringify(previous.spec.affinity) !== JSON.stringify(next.spec.affinity))
      return true;
  }
  return previous.metadata.labels !== next.metadata.labels && labelsOf(previous) !== labelsOf(next);
}

function podHandler(scheduler: Scheduler): InformerHandler<Pod> {
  const { cache, queue, nominator, config } = scheduler;
  const isMine = (pod: Pod): boolean => (pod.spec.schedulerName ?? 'default-scheduler') === config.schedulerName;
  const gone = (pod: Pod): void => {
    const uid = pod.metadata.uid ?? '';
    queue.remove(uid);
    nominator.remove(uid);
    if (!isAssigned(pod)) cache.forget(uid);
    else cache.removePod(uid);
    if (isAssigned(pod) || (pod.status?.nominatedNodeName ?? '') !== '') scheduler.handle({ kind: 'pod-deleted', pod });
  };
  const arrived = (pod: Pod): void => {
    if (isAssigned(pod)) {
      cache.setPod(pod);
      scheduler.handle({ kind: 'pod-added', pod });
      return;
    }
    if (!isMine(pod)) return;
    scheduler.noteNomination(pod);
    queue.add(pod);
  };
  return {
    onAdd: arrived,
    onUpdate: (previous, next) => {
      if (previous.metadata.uid !== next.metadata.uid) {
        gone(previous);
        arrived(next);
        return;
      }
      const uid = next.metadata.uid ?? '';
      if (isAssigned(next)) {
        if (!isAssigned(previous)) {
          queue.remove(uid);
          nominator.remove(uid);
        }
        cache.setPod(next);
        if (!isAssigned(previous)) scheduler.handle({ kind: 'pod-added', pod: next });
        else if (previous.metadata.labels !== next.metadata.labels && labelsOf(previous) !== labelsOf(next)) {
          scheduler.handle({ kind: 'pod-updated', pod: next, previous });
        }
        return;
      }
      if (!isMine(next) || cache.isAssumed(uid)) return;
      const before = previous.status?.nominatedNodeName ?? '';
      const given = before !== '' && (next.status?.nominatedNodeName ?? '') === '';
      if (before !== (next.status?.nominatedNodeName ?? '')) nominator.remove(uid);
      scheduler.noteNomination(next);
      queue.update(next, requeues(previous, next));
      // A place that was kept for the pod is free for others, as if a pod had left it.
      if (given) scheduler.handle({ kind: 'pod-deleted', pod: previous });
    },
    // As for nodes: a pod that a new list lacks has gone, and holds its place no longer (kubernetes#55587).
    onDelete: (pod, finalStateUnknown) => {
      if (!finalStateUnknown || !scheduler.defects.has('K3')) gone(pod);
    },
  };
}

/** What of a node's change scheduling could care about; heartbeats are not among it. Upstream NodeSchedulingPropertiesChange. */
function nodeMatters(previous: Node, next: Node): boolean {
  if (
    previous.spec !== next.spec &&
    JSON.stringify([previous.spec?.taints, previous.spec?.unschedulable]) !== JSON.stringify([next.spec?.taints, next.spec?.unschedulable])
  )
    return true;
  if (
    previous.metadata.labels !== next.metadata.labels &&
    JSON.stringify(previous.metadata.labels) !== JSON.stringify(next.metadata.labels)
  )
    return true;
  return JSON.stringify(previous.status?.allocatable) !== JSON.stringify(next.status?.allocatable);
}

/** Feeds cache and queue from the informers: pkg/scheduler/eventhandlers.go. */
export function watchCluster(scheduler: Scheduler, informers: InformerFactory): void {
  informers.informer(PODS, { fieldSelector: unfinishedPods }).addHandler(podHandler(scheduler));
  informers.informer(NODES).addHandler({
    onAdd: (node) => {
      scheduler.cache.setNode(node);
      scheduler.handle({ kind: 'node', next: node, previous: undefined });
    },
    onUpdate: (previous, next) => {
      scheduler.cache.setNode(next);
      if (nodeMatters(previous, next)) scheduler.handle({ kind: 'node', next, previous });
    },
    onDelete: (node, finalStateUnknown) => {
      // A node that a new list lacks is gone too, although nobody said so: the event was lost with the watch (kubernetes#56261, #94437).
      if (finalStateUnknown && scheduler.defects.has('K2')) return;
      scheduler.cache.removeNode(node.metadata.name ?? '');
    },
  });
  const volumesChanged = {
    onAdd: () => scheduler.handle({ kind: 'volumes' }),
    onUpdate: () => scheduler.handle({ kind: 'volumes' }),
    onDelete: () => {},
  };
  informers.informer(PERSISTENT_VOLUME_CLAIMS).addHandler(volumesChanged);
  informers.informer(PERSISTENT_VOLUMES).addHandler(volumesChanged);
  informers.informer(STORAGE_CLASSES).addHandler(volumesChanged);
}
