import { describe, expect, it } from 'vitest';
import type { Pod } from '../api/types.ts';
import { byEvictionAndCreation } from './pod-gc.ts';

function pod(name: string, second: number, reason?: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'd', creationTimestamp: `2026-01-01T00:00:0${second}Z` },
    spec: { containers: [] },
    status: { phase: 'Failed', ...(reason === undefined ? {} : { reason }) },
  };
}

describe('finished pods beyond the threshold', () => {
  it('go evicted ones first, then the oldest, of equally old ones by name', () => {
    const pods = [pod('c', 1), pod('b', 1), pod('young', 3, 'Evicted'), pod('old', 0), pod('other', 2, 'Error')];
    expect(pods.sort(byEvictionAndCreation).map((each) => each.metadata.name)).toEqual(['young', 'old', 'b', 'c', 'other']);
  });
});
