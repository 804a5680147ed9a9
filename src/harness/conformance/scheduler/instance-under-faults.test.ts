import { describe, expect, it } from 'vitest';
import type { UntypedObject } from '../../../model/api/object.ts';
import type { Pod } from '../../../model/api/types.ts';
import { boundTwice, judgeDecision, judgeEnd } from './instance-under-faults.ts';

const pod = (nodeName: string | undefined, status: Pod['status'] = {}, uid = 'u'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'random', uid },
  spec: { containers: [{ name: 'c', image: 'i' }], ...(nodeName === undefined ? {} : { nodeName }) },
  status,
});
const unfit = pod(undefined, { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'too small' }] });

describe('a decision of the scheduler', () => {
  const chosen = { pod: 'p', node: 'a', feasible: ['a', 'b', 'c'], top: ['a', 'b'] };

  it('is one of the nodes with the best score, under faults one of those that the pod fits on', () => {
    expect(judgeDecision(chosen, pod('b'), true)).toEqual([]);
    expect(judgeDecision(chosen, pod('c'), true)).toEqual(['p: expected one of a, b, actual c']);
    expect(judgeDecision(chosen, pod('c'), false)).toEqual([]);
    expect(judgeDecision(chosen, pod('d'), false)).toEqual(['p: expected one of a, b, c, actual d']);
  });

  it('is the recorded node where only that one was feasible', () => {
    expect(judgeDecision({ pod: 'p', node: 'a' }, pod('b'), false)).toEqual(['p: expected one of a, actual b']);
  });

  it('is missing when the pod was never bound, or is gone', () => {
    expect(judgeDecision(chosen, pod(undefined), false)).toEqual(['p: expected a, never bound']);
    expect(judgeDecision(chosen, undefined, false)).toEqual(['p: is gone']);
  });

  it('is none where none was recorded, and says why', () => {
    const none = { pod: 'p', node: null, message: 'too small' };
    expect(judgeDecision(none, unfit, true)).toEqual([]);
    expect(judgeDecision({ ...none, message: 'tainted' }, unfit, true)).not.toEqual([]);
    expect(judgeDecision({ ...none, message: 'tainted' }, unfit, false)).toEqual([]);
    expect(judgeDecision(none, pod('a'), false)).toEqual(['p: expected none, actual a']);
    expect(judgeDecision(none, pod(undefined), false)).not.toEqual([]);
  });
});

it('a pod is bound twice when its node changes; another pod of its name may be elsewhere', () => {
  const writes = (...pods: readonly Pod[]): readonly { object: UntypedObject }[] =>
    pods.map((object) => ({ object: object as unknown as UntypedObject }));
  expect(boundTwice(writes(pod(undefined), pod('a'), pod('a')))).toEqual([]);
  expect(boundTwice(writes(pod('a'), pod('b')))).toEqual(['p: on a, then on b']);
  expect(boundTwice(writes(pod('a'), pod(undefined)))).toEqual(['p: on a, then on none']);
  expect(boundTwice(writes(pod('a', {}, 'u'), pod('b', {}, 'v')))).toEqual([]);
});

it('at rest every pod that was bound runs on its node, and no other is there', () => {
  const end = (node: string | null, ...pods: readonly Pod[]): readonly string[] =>
    judgeEnd({ name: 'random', decisions: [{ pod: 'p', node }] }, pods as unknown as readonly UntypedObject[]);
  expect(end('a', pod('a', { phase: 'Running' }))).toEqual([]);
  expect(end('a', pod('b', { phase: 'Running' }))).not.toEqual([]);
  expect(end('a', pod('a', { phase: 'Pending' }))).not.toEqual([]);
  expect(end('a')).not.toEqual([]);
  expect(end(null)).toEqual([]);
  expect(end(null, pod(undefined))).not.toEqual([]);
});
