import { formatSeconds, MINUTE } from '../sim/time.ts';
import { requestsOf } from './feasibility.ts';
import { field, list, text } from './fields.ts';
import type { Property, StoredObject, TrialEnd } from './property.ts';

interface Group {
  readonly name: string;
  readonly machines: number;
  readonly max: number;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly open: boolean;
}

/** The kubelet keeps so much back (evictionHard). */
const KEPT_BYTES = 100 * 1024 ** 2;

/** What else may keep a pod from a node that is large enough. */
const ELSEWHERE = ['nodeSelector', 'affinity', 'topologySpreadConstraints', 'resourceClaims'];

/** cluster-autoscaler's promise: a pod that would fit on a new node of a group which may still grow does not stay pending. */
export const podsGetNodes: Property = {
  id: 'pods-get-nodes',
  about: 'Pods that find no place get a node, where a node group may still grow.',
  clauses: [{ id: 'no-pod-waits', must: 'After healing no pod stays unschedulable that a new node of a group with room would hold.' }],
  needsKubernetes: true,
  start({ facts, clock, violate }) {
    const groups = new Map<string, Group>();
    let orders = 0;
    facts.nodeGroup.subscribe((name, machines, max, cpuMilli, memoryBytes, open) => {
      const before = groups.get(name);
      if (before !== undefined && machines > before.machines) orders++;
      groups.set(name, { name, machines, max, cpuMilli, memoryBytes, open });
    });
    const helpable = (end: TrialEnd): readonly { readonly pod: StoredObject; readonly group: Group }[] =>
      end.objects.flatMap((pod) => {
        if (pod.resource !== 'pods' || !isUnschedulable(pod.object)) return [];
        const spec = field(pod.object, 'spec');
        if (ELSEWHERE.some((name) => field(spec, name) !== undefined) || hasPortOrClaim(spec)) return [];
        const need = requestsOf(spec);
        const group = [...groups.values()].find(
          ({ machines, max, cpuMilli, memoryBytes, open }) =>
            open && machines < max && need.cpuMilli <= cpuMilli && need.memoryBytes <= memoryBytes - KEPT_BYTES,
        );
        return group === undefined ? [] : [{ pod, group }];
      });
    return {
      exercised: () => orders,
      settled: (end) => groups.size === 0 || helpable(end).length === 0,
      finish: (end) => {
        // A minute after healing is too short for a machine to come.
        if (groups.size === 0 || end.healedAtUs === undefined || end.atUs - end.healedAtUs < MINUTE) return;
        const [first] = helpable(end);
        if (first === undefined) return;
        const { pod, group } = first;
        const name = `${pod.namespace}/${pod.name}`;
        violate({
          clause: 'no-pod-waits',
          atUs: clock.now,
          sentence: `${name} is still pending ${formatSeconds(end.atUs - end.healedAtUs)} after all faults were healed, and ${group.name} has ${group.machines} of ${group.max} machines.`,
          expected: `${group.name} grows, and ${name} runs there`,
          actual: `${group.name} stays at ${group.machines} machines`,
          subjects: [name],
          facts: [
            {
              atUs: clock.now,
              subject: name,
              text: `is unschedulable: ${
                list(pod.object, 'status', 'conditions')
                  .map((c) => text(c, 'message'))
                  .find((message) => message !== '') ?? ''
              }`,
            },
          ],
        });
      },
    };
  },
};

function isUnschedulable(pod: object): boolean {
  if (text(pod, 'spec', 'nodeName') !== '' || text(pod, 'metadata', 'deletionTimestamp') !== '') return false;
  return list(pod, 'status', 'conditions').some((c) => text(c, 'type') === 'PodScheduled' && text(c, 'reason') === 'Unschedulable');
}

function hasPortOrClaim(spec: unknown): boolean {
  return (
    list(spec, 'volumes').some(
      (volume) => field(volume, 'persistentVolumeClaim') !== undefined || field(volume, 'ephemeral') !== undefined,
    ) || list(spec, 'containers').some((container) => list(container, 'ports').some((port) => field(port, 'hostPort') !== undefined))
  );
}
