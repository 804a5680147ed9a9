import { describe, expect, it } from 'vitest';
import type { Endpoint, EndpointSlice, Service } from '../api/types.ts';
import { newSlice, planFamily } from './endpoint-slice-plan.ts';
import { EndpointSliceTracker } from './endpoint-slice-tracker.ts';

const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'd', uid: 's', labels: { team: 'a' } },
  spec: { selector: { app: 'web' }, clusterIP: '10.96.0.9' },
};
const ports = [{ name: '', protocol: 'TCP' as const, port: 8080 }];

function endpoint(i: number, ready = true): Endpoint {
  return {
    addresses: [`10.1.0.${i}`],
    conditions: { ready, serving: ready, terminating: false },
    targetRef: { kind: 'Pod', namespace: 'd', name: `web-${i}` },
  };
}

function stored(name: string, endpoints: readonly Endpoint[], generation = 1): EndpointSlice {
  const slice = newSlice(service, 'IPv4', ports, endpoints);
  return { ...slice, metadata: { ...slice.metadata, name, uid: name, generation } };
}

describe('endpoint slice plan', () => {
  it('gives an empty service an empty slice, and keeps it', () => {
    const plan = planFamily(service, 'IPv4', [], [], 100);
    expect(plan.create).toHaveLength(1);
    expect(plan.create[0]?.endpoints).toEqual([]);
    const empty = { ...(plan.create[0] as EndpointSlice), metadata: { ...(plan.create[0] as EndpointSlice).metadata, name: 'web-1' } };
    expect(planFamily(service, 'IPv4', [empty], [], 100)).toEqual({ create: [], update: [], delete: [] });
  });

  it('turns the placeholder into the first real slice instead of deleting and creating', () => {
    const empty = {
      ...newSlice(service, 'IPv4', [], []),
      metadata: { ...newSlice(service, 'IPv4', [], []).metadata, name: 'web-1', uid: 'u' },
    };
    const plan = planFamily(service, 'IPv4', [empty], [{ ports, endpoints: [endpoint(1)] }], 100);
    expect(plan.update.map((slice) => [slice.metadata.name, slice.endpoints.length])).toEqual([['web-1', 1]]);
    expect(plan.create).toEqual([]);
    expect(plan.delete).toEqual([]);
  });

  it('writes nothing when all is as wanted, and one slice when one endpoint changes', () => {
    const full = stored('web-1', [endpoint(1), endpoint(2)]);
    expect(planFamily(service, 'IPv4', [full], [{ ports, endpoints: [endpoint(1), endpoint(2)] }], 100).update).toEqual([]);
    const plan = planFamily(service, 'IPv4', [full], [{ ports, endpoints: [endpoint(1, false), endpoint(2)] }], 100);
    expect(plan.update[0]?.endpoints[0]?.conditions?.ready).toBe(false);
  });

  it('splits at the limit and fills the fullest slice that has room', () => {
    const many = Array.from({ length: 5 }, (_, i) => endpoint(i));
    expect(planFamily(service, 'IPv4', [], [{ ports, endpoints: many }], 2).create.map((slice) => slice.endpoints.length)).toEqual([
      2, 2, 1,
    ]);
    const slices = [stored('a', [endpoint(0)]), stored('b', [endpoint(1), endpoint(2)])];
    const plan = planFamily(service, 'IPv4', slices, [{ ports, endpoints: many.slice(0, 4) }], 3);
    expect(plan.update.map((slice) => [slice.metadata.name, slice.endpoints.length])).toEqual([['b', 3]]);
  });
});

describe('endpoint slice tracker (K10: what the stale copy would hide)', () => {
  it('finds a view stale that lacks its own last write', () => {
    const tracker = new EndpointSliceTracker();
    tracker.update(stored('web-1', [endpoint(1, false)], 2));
    expect(tracker.isStale('d/web', [stored('web-1', [endpoint(1)], 1)])).toBe(true);
    expect(tracker.isStale('d/web', [stored('web-1', [endpoint(1, false)], 2)])).toBe(false);
    expect(tracker.isStale('d/web', [])).toBe(true);
  });

  it('tells its own writes and deletions from those of others', () => {
    const tracker = new EndpointSliceTracker();
    const slice = stored('web-1', [endpoint(1)], 3);
    tracker.update(slice);
    expect(tracker.shouldSync(slice)).toBe(false);
    expect(tracker.shouldSync(stored('web-1', [], 4))).toBe(true);
    tracker.expectDeletion(slice);
    expect(tracker.deleted(slice)).toBe(true);
    expect(tracker.deleted(slice)).toBe(false);
  });
});
