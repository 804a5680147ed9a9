import type { Node } from '../../api/types.ts';
import { type FilterPlugin, type ScorePlugin, nodeScoreMax } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import { allowedPods, isZeroResource, resourceFromList } from '../resources.ts';
import { type Refusal, refusal } from '../status.ts';

const name = 'NodeResourcesFit';

/** Refusals by the bits of the reasons, so that a full cluster allocates none per node. Bit 4 of the key: unresolvable. */
const refusals = new Map<number, Refusal>();
const tooManyPods = 1;
const lacksCpu = 2;
const lacksMemory = 4;
const lacksEphemeral = 8;
const neverFits = 16;

function refusalOf(bits: number): Refusal {
  let answer = refusals.get(bits);
  if (answer === undefined) {
    const reasons: string[] = [];
    if (bits & tooManyPods) reasons.push('Too many pods');
    if (bits & lacksCpu) reasons.push('Insufficient cpu');
    if (bits & lacksMemory) reasons.push('Insufficient memory');
    if (bits & lacksEphemeral) reasons.push('Insufficient ephemeral-storage');
    answer = refusal(name, bits & neverFits ? 'UnschedulableAndUnresolvable' : 'Unschedulable', ...reasons);
    refusals.set(bits, answer);
  }
  return answer;
}

/** Upstream fitsRequest: what the node lacks. */
function lacking(pod: PodInfo, plain: boolean, empty: boolean, node: NodeInfo): Refusal | undefined {
  let bits = node.pods.size + 1 > node.allowedPods ? tooManyPods : 0;
  if (empty) return bits === 0 ? undefined : refusalOf(bits);
  const { requests } = pod;
  const { allocatable, requested } = node;
  if (requests.milliCpu > 0 && requests.milliCpu > allocatable.milliCpu - requested.milliCpu) {
    bits |= requests.milliCpu > allocatable.milliCpu ? lacksCpu | neverFits : lacksCpu;
  }
  if (requests.memoryBytes > 0 && requests.memoryBytes > allocatable.memoryBytes - requested.memoryBytes) {
    bits |= requests.memoryBytes > allocatable.memoryBytes ? lacksMemory | neverFits : lacksMemory;
  }
  if (requests.ephemeralBytes > 0 && requests.ephemeralBytes > allocatable.ephemeralBytes - requested.ephemeralBytes) {
    bits |= requests.ephemeralBytes > allocatable.ephemeralBytes ? lacksEphemeral | neverFits : lacksEphemeral;
  }
  if (plain) return bits === 0 ? undefined : refusalOf(bits);
  const scalarReasons: string[] = [];
  for (const resource of [...requests.scalars.keys()].sort()) {
    const wanted = requests.scalars.get(resource) as number;
    const total = allocatable.scalars.get(resource) ?? 0;
    if (wanted <= total - (requested.scalars.get(resource) ?? 0)) continue;
    scalarReasons.push(`Insufficient ${resource}`);
    if (wanted > total) bits |= neverFits;
  }
  if (scalarReasons.length === 0) return bits === 0 ? undefined : refusalOf(bits);
  const base = refusalOf(bits);
  return refusal(name, base.code, ...base.reasons, ...scalarReasons);
}

function leastAllocated(requested: number, allocatable: number): number {
  return requested > allocatable ? 0 : Math.floor(((allocatable - requested) * nodeScoreMax) / allocatable);
}

/** Whether a change of a node could help: it is big enough, and has more of something that the pod asks for. */
function nodeChangeHelps(pod: PodInfo, next: Node, previous: Node | undefined): boolean {
  const allocatable = resourceFromList(next.status?.allocatable);
  const { requests } = pod;
  if (
    requests.milliCpu > allocatable.milliCpu ||
    requests.memoryBytes > allocatable.memoryBytes ||
    requests.ephemeralBytes > allocatable.ephemeralBytes
  )
    return false;
  for (const [resource, wanted] of requests.scalars) if (wanted > (allocatable.scalars.get(resource) ?? 0)) return false;
  if (allowedPods(next.status?.allocatable) < 1) return false;
  if (previous === undefined) return true;
  const before = resourceFromList(previous.status?.allocatable);
  if (allowedPods(next.status?.allocatable) > allowedPods(previous.status?.allocatable)) return true;
  if (requests.milliCpu > 0 && allocatable.milliCpu > before.milliCpu) return true;
  if (requests.memoryBytes > 0 && allocatable.memoryBytes > before.memoryBytes) return true;
  if (requests.ephemeralBytes > 0 && allocatable.ephemeralBytes > before.ephemeralBytes) return true;
  for (const resource of requests.scalars.keys())
    if ((allocatable.scalars.get(resource) ?? 0) > (before.scalars.get(resource) ?? 0)) return true;
  return false;
}

/** Room for the requests; the emptier the node (as a share of its size), the better: strategy LeastAllocated over cpu and memory. */
export const nodeResourcesFit: FilterPlugin & ScorePlugin = {
  name,
  weight: 1,
  prepareFilter: (pod) => {
    const empty = isZeroResource(pod.requests);
    const plain = pod.requests.scalars.size === 0;
    return { filter: (node) => lacking(pod, plain, empty, node) };
  },
  mayHelp: (pod, event) => {
    switch (event.kind) {
      case 'node':
        return nodeChangeHelps(pod, event.next, event.previous);
      case 'pod-deleted':
        return true;
      case 'pod-added':
      case 'pod-updated':
      case 'volumes':
        return false;
    }
  },
  prepareScore: (pod) => {
    const { milliCpu, memoryBytes } = pod.scoreRequests;
    return {
      scoreAll: (nodes: readonly NodeInfo[], out: number[]) => {
        for (let i = 0; i < nodes.length; i++) {
          const node = nodes[i] as NodeInfo;
          const { allocatable, scoreRequested } = node;
          let sum = 0;
          let weights = 0;
          if (allocatable.milliCpu > 0) {
            sum += leastAllocated(scoreRequested.milliCpu + milliCpu, allocatable.milliCpu);
            weights++;
          }
          if (allocatable.memoryBytes > 0) {
            sum += leastAllocated(scoreRequested.memoryBytes + memoryBytes, allocatable.memoryBytes);
            weights++;
          }
          out[i] = weights === 0 ? 0 : Math.floor(sum / weights);
        }
      },
    };
  },
};
