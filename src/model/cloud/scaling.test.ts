import { describe, expect, it } from 'vitest';
import type { Node, Pod } from '../api/types.ts';
import { NodeInfo } from '../scheduler/node-info.ts';
import { podInfoOf } from '../scheduler/pod-info.ts';
import type { NodeGroupState } from './node-groups.ts';
import { isUnneeded, podsToMove } from './scale-down.ts';
import { planScaleUp } from './scale-up.ts';

const KIND = { os: 'linux', runtime: 'containerd', cpuMilli: 2000, memoryBytes: 4 * 1024 ** 3, pods: 110, labels: {}, taints: [] } as const;
const group = (name: string, machines: number, max: number, kind: Partial<NodeGroupState['kind']> = {}): NodeGroupState => ({
  name,
  min: 1,
  max,
  kind: { ...KIND, ...kind },
  machines: Array.from({ length: machines }, (_, i) => `${name}-${i}`),
});
const pod = (name: string, cpu: string, extra: { metadata?: object; spec?: object } = {}): Pod =>
  ({
    metadata: {
      namespace: 'default',
      name,
      uid: name,
      ownerReferences: [{ kind: 'ReplicaSet', name: 'web', uid: 'web', controller: true }],
      ...extra.metadata,
    },
    spec: { containers: [{ name: 'c', resources: { requests: { cpu, memory: '64Mi' } } }], ...extra.spec },
  }) as unknown as Pod;
const node = (name: string, ...pods: readonly Pod[]): NodeInfo => {
  const info = new NodeInfo(name);
  info.setNode({
    metadata: { name },
    status: { allocatable: { cpu: '2', memory: '4Gi', pods: '110', 'ephemeral-storage': '10Gi' } },
  } as unknown as Node);
  for (const each of pods) info.addPod(podInfoOf(each));
  return info;
};
const anyMay = (): boolean => true;

describe('growing', () => {
  it('orders as many machines as the pods need that fit nowhere', () => {
    const pending = ['a', 'b', 'c', 'd', 'e'].map((name) => pod(name, '800m'));
    const { scaleUp, helpless } = planScaleUp(pending, [node('n', pod('old', '1100m'))], [group('pool-0', 1, 9)]);
    // One fits beside the old pod, two on each new machine.
    expect([scaleUp?.by, scaleUp?.pods.length, helpless.length]).toEqual([2, 4, 0]);
  });

  it('waits where what is on its way holds them', () => {
    expect(planScaleUp([pod('a', '1')], [node('upcoming')], [group('pool-0', 2, 9)])).toEqual({ scaleUp: undefined, helpless: [] });
  });

  it('stops at the size of the group, and says so', () => {
    const { scaleUp, helpless } = planScaleUp([pod('a', '1500m'), pod('b', '1500m')], [], [group('pool-0', 1, 2)]);
    expect([scaleUp?.by, scaleUp?.pods.map((p) => p.metadata.name)]).toEqual([1, ['a']]);
    expect(helpless.map(({ reasons }) => reasons)).toEqual([['max node group size reached']]);
  });

  it('takes the group of which least stays unused, and none that the pod does not tolerate or fit', () => {
    const tainted = group('pool-0', 0, 5, { taints: [{ key: 'gpu', effect: 'NoSchedule' }] });
    const small = group('pool-1', 0, 5);
    const large = group('pool-2', 0, 5, { cpuMilli: 16_000, memoryBytes: 64 * 1024 ** 3 });
    expect(planScaleUp([pod('a', '1500m')], [], [tainted, large, small]).scaleUp?.group.name).toBe('pool-1');
    const { scaleUp, helpless } = planScaleUp([pod('a', '3')], [], [tainted, small]);
    expect(scaleUp).toBeUndefined();
    expect(helpless[0]?.reasons).toEqual([expect.stringContaining('untolerated taint'), 'Insufficient cpu']);
  });
});

describe('shrinking', () => {
  it('a node may go when less than half of it is used and its pods have a place', () => {
    expect(isUnneeded(node('n', pod('a', '900m')), [node('other')], anyMay)).toBe(true);
    expect(isUnneeded(node('n', pod('a', '1')), [node('other')], anyMay)).toBe(false);
    expect(isUnneeded(node('n', pod('a', '900m')), [node('other', pod('b', '1500m'))], anyMay)).toBe(false);
  });

  it('what was put elsewhere counts for the next node, and leaves no trace where the node stays', () => {
    const other = node('other', pod('x', '300m'));
    expect(isUnneeded(node('n', pod('a', '900m')), [other], anyMay)).toBe(true);
    expect(isUnneeded(node('m', pod('b', '900m')), [other], anyMay)).toBe(false);
    expect(other.pods.size).toBe(2);
  });

  it.each([
    ['is not replicated', { metadata: { ownerReferences: [] } }],
    ['has local storage', { spec: { volumes: [{ name: 'v', emptyDir: {} }] } }],
    ['is of the system', { metadata: { namespace: 'kube-system' } }],
    ['is not safe to evict', { metadata: { annotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' } } }],
  ])('a pod that %s keeps its node', (why, extra) => {
    expect(podsToMove(node('n', pod('a', '100m', extra)), anyMay)).toContain(why);
  });

  it('pods of DaemonSets go with the node; a disruption budget keeps it', () => {
    const agent = pod('agent', '100m', {
      metadata: { ownerReferences: [{ kind: 'DaemonSet', name: 'agent', uid: 'd', controller: true }] },
    });
    expect(podsToMove(node('n', agent), anyMay)).toEqual([]);
    expect(podsToMove(node('n', pod('a', '100m')), () => false)).toContain('is under a disruption budget');
  });
});
