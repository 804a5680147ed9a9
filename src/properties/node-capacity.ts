import { requestsOf } from './feasibility.ts';
import { field, isTerminal, text } from './fields.ts';
import type { Property } from './property.ts';

interface Node {
  cpuMilli: number;
  memoryBytes: number;
  pods: number;
  readonly admitted: Map<string, { readonly pod: string; readonly cpuMilli: number; readonly memoryBytes: number }>;
  usedCpu: number;
  usedMemory: number;
}

/** What runs on a node fits into it, whatever several schedulers believed. */
export const nodeCapacity: Property = {
  id: 'node-capacity',
  about: 'The requests of the pods that a node runs never exceed what it can hold.',
  clauses: [
    { id: 'cpu', must: 'The CPU requests of admitted pods stay within the allocatable CPU of the node.' },
    { id: 'memory', must: 'Their memory requests stay within its allocatable memory.' },
    { id: 'pods', must: 'Their number stays within its pod limit.' },
    { id: 'bound', must: "What one scheduler binds to a node, by the API server's answers, fits into it." },
  ],
  needsKubernetes: true,
  start({ facts, clock, violate }) {
    const nodes = new Map<string, Node>();
    /** The node that admitted a pod. */
    const holders = new Map<string, string>();
    let judged = 0;
    const get = (name: string): Node => {
      let node = nodes.get(name);
      if (node === undefined) {
        node = {
          cpuMilli: Number.POSITIVE_INFINITY,
          memoryBytes: Number.POSITIVE_INFINITY,
          pods: Number.POSITIVE_INFINITY,
          admitted: new Map(),
          usedCpu: 0,
          usedMemory: 0,
        };
        nodes.set(name, node);
      }
      return node;
    };
    facts.nodeCapacity.subscribe((name, cpuMilli, memoryBytes, pods) => {
      Object.assign(get(name), { cpuMilli, memoryBytes, pods });
    });
    facts.podAdmitted.subscribe((name, pod, uid, cpuMilli, memoryBytes) => {
      const node = get(name);
      if (node.admitted.has(uid)) return;
      judged++;
      holders.set(uid, name);
      node.admitted.set(uid, { pod, cpuMilli, memoryBytes });
      node.usedCpu += cpuMilli;
      node.usedMemory += memoryBytes;
      const over =
        node.usedCpu > node.cpuMilli
          ? ({ clause: 'cpu', has: `${node.cpuMilli} m`, needs: `${node.usedCpu} m` } as const)
          : node.usedMemory > node.memoryBytes
            ? ({ clause: 'memory', has: `${node.memoryBytes} bytes`, needs: `${node.usedMemory} bytes` } as const)
            : node.admitted.size > node.pods
              ? ({ clause: 'pods', has: `${node.pods} pods`, needs: `${node.admitted.size} pods` } as const)
              : undefined;
      if (over === undefined) return;
      violate({
        clause: over.clause,
        atUs: clock.now,
        sentence: `${name} admitted ${pod} although its pods then request ${over.needs} of ${over.has}.`,
        expected: `at most ${over.has}`,
        actual: over.needs,
        subjects: [name],
        facts: [{ atUs: clock.now, subject: name, text: `admits ${pod}` }],
      });
    });
    const release = (name: string, uid: string): void => {
      const node = get(name);
      const admitted = node.admitted.get(uid);
      if (admitted === undefined) return;
      node.admitted.delete(uid);
      if (holders.get(uid) === name) holders.delete(uid);
      node.usedCpu -= admitted.cpuMilli;
      node.usedMemory -= admitted.memoryBytes;
    };
    facts.podRemoved.subscribe((name, _pod, uid) => release(name, uid));
    // A pod that has ended holds nothing once its last container stopped. Its kubelet may never say so: the one that admitted the pod was
    // killed, and its successor found nothing of it.
    const running = new Map<string, number>();
    const ended = new Set<string>();
    const uids = new Map<string, string>();
    const ends = (uid: string): void => {
      if (running.has(uid)) {
        ended.add(uid);
        return;
      }
      ended.delete(uid);
      const name = holders.get(uid);
      if (name !== undefined) release(name, uid);
    };
    facts.containerStarted.subscribe((_node, _pod, uid) => running.set(uid, (running.get(uid) ?? 0) + 1));
    facts.containerStopped.subscribe((_node, _pod, uid) => {
      const left = (running.get(uid) ?? 1) - 1;
      if (left > 0) running.set(uid, left);
      else running.delete(uid);
      if (left === 0 && ended.has(uid)) ends(uid);
    });
    facts.objectChanged.subscribe((_revision, key, object) => {
      if (!key.startsWith('/registry/pods/')) return;
      const before = uids.get(key);
      if (object === undefined) uids.delete(key);
      else uids.set(key, text(object, 'metadata', 'uid'));
      if (before !== undefined && before !== uids.get(key)) ends(before);
      if (object !== undefined && isTerminal(object)) ends(text(object, 'metadata', 'uid'));
    });
    // One scheduler's own bindings. Two in a row may each have something of theirs under way, and a binding without an answer is not counted.
    const uidsOfRequests = new Map<string, string>();
    const requests = new Map<string, { readonly cpuMilli: number; readonly memoryBytes: number }>();
    const bindings = new Map<string, Map<string, string>>();
    const boundTo = new Map<string, string>();
    facts.leading.subscribe((lease) => {
      if (lease === 'kube-scheduler') bindings.clear();
    });
    facts.podBound.subscribe((pod, uid, name) => {
      const node = nodes.get(name);
      const asked = requests.get(uid);
      if (node === undefined || asked === undefined) return;
      let bound = bindings.get(name);
      if (bound === undefined) {
        bound = new Map();
        bindings.set(name, bound);
      }
      bound.set(uid, pod);
      boundTo.set(uid, name);
      judged++;
      let cpuMilli = 0;
      let memoryBytes = 0;
      for (const other of bound.keys()) {
        cpuMilli += requests.get(other)?.cpuMilli ?? 0;
        memoryBytes += requests.get(other)?.memoryBytes ?? 0;
      }
      if (cpuMilli <= node.cpuMilli && memoryBytes <= node.memoryBytes && bound.size <= node.pods) return;
      const used =
        cpuMilli > node.cpuMilli
          ? `${cpuMilli} m of ${node.cpuMilli} m`
          : `${memoryBytes} bytes of ${node.memoryBytes}, ${bound.size} pods of ${node.pods}`;
      violate({
        clause: 'bound',
        atUs: clock.now,
        sentence: `The scheduler bound ${pod} to ${name} although its own bindings to ${name} then ask for ${used}.`,
        expected: 'bindings that fit',
        actual: used,
        subjects: [name, pod],
        facts: [
          {
            atUs: clock.now,
            subject: name,
            text: `gets ${pod} beside ${[...bound.values()]
              .filter((other) => other !== pod)
              .sort()
              .join(' ')}`,
          },
        ],
      });
    });
    facts.objectChanged.subscribe((_revision, key, object) => {
      if (!key.startsWith('/registry/pods/')) return;
      const uid = uidsOfRequests.get(key);
      const now = object === undefined ? undefined : text(object, 'metadata', 'uid');
      if (uid !== undefined && (now !== uid || (object !== undefined && isTerminal(object)))) {
        uidsOfRequests.delete(key);
        requests.delete(uid);
        bindings.get(boundTo.get(uid) ?? '')?.delete(uid);
        boundTo.delete(uid);
      }
      if (object === undefined || now === undefined || isTerminal(object) || requests.has(now)) return;
      uidsOfRequests.set(key, now);
      requests.set(now, requestsOf(field(object, 'spec')));
    });
    return { exercised: () => judged };
  },
};
