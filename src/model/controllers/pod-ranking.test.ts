import { describe, expect, it } from 'vitest';
import type { Pod } from '../api/types.ts';
import { compareForDeletion } from './pod-ranking.ts';

const now = 1_767_225_700_000_000;

function pod(
  name: string,
  given: { node?: string; phase?: 'Pending' | 'Running'; readySince?: string; cost?: string; restarts?: number; created?: string },
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      uid: name,
      creationTimestamp: given.created ?? '2026-01-01T00:00:00Z',
      ...(given.cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': given.cost } }),
    },
    spec: { containers: [], ...(given.node === undefined ? {} : { nodeName: given.node }) },
    status: {
      phase: given.phase ?? 'Running',
      ...(given.readySince === undefined ? {} : { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: given.readySince }] }),
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: given.restarts ?? 0 }],
    },
  };
}

/** Names in the order of deletion. */
function order(pods: readonly Pod[], rank: (pod: Pod) => number = () => 0): readonly string[] {
  return [...pods].sort((a, b) => compareForDeletion(a, b, rank, now)).map((p) => p.metadata.name ?? '');
}

describe('deletion ranking', () => {
  const ready = '2026-01-01T00:00:10Z';
  it('takes unassigned, then pending, then unready pods first', () => {
    const pods = [
      pod('ready', { node: 'n', readySince: ready }),
      pod('unready', { node: 'n' }),
      pod('pending', { node: 'n', phase: 'Pending' }),
      pod('homeless', {}),
    ];
    expect(order(pods)).toEqual(['homeless', 'pending', 'unready', 'ready']);
  });

  it('takes the cheap before the dear, then those of crowded nodes', () => {
    const pods = [pod('dear', { node: 'n', readySince: ready, cost: '100' }), pod('cheap', { node: 'n', readySince: ready, cost: '-1' })];
    expect(order(pods)).toEqual(['cheap', 'dear']);
    const spread = [pod('alone', { node: 'a', readySince: ready }), pod('crowded', { node: 'b', readySince: ready })];
    expect(order(spread, (p) => (p.spec.nodeName === 'b' ? 2 : 1))).toEqual(['crowded', 'alone']);
  });

  it('takes the younger first, but only where ages differ by more than a factor of two', () => {
    const young = pod('young', { node: 'n', readySince: '2026-01-01T00:01:38Z' });
    const old = pod('old', { node: 'n', readySince: '2026-01-01T00:00:00Z' });
    expect(order([old, young])).toEqual(['young', 'old']);
    const a = pod('b', { node: 'n', readySince: '2026-01-01T00:00:10Z' });
    const b = pod('a', { node: 'n', readySince: '2026-01-01T00:00:11Z' });
    expect(order([a, b])).toEqual(['a', 'b']);
  });

  it('takes the one with more restarts first', () => {
    expect(order([pod('calm', { node: 'n', readySince: ready }), pod('crashing', { node: 'n', readySince: ready, restarts: 3 })])).toEqual([
      'crashing',
      'calm',
    ]);
  });
});
