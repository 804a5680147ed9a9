import { describe, expect, it } from 'vitest';
import type { Deployment, ReplicaSet } from '../api/types.ts';
import {
  maxScaledDown,
  newSetReplicas,
  resolveFenceposts,
  rollingBounds,
  rollingScaleDown,
  unhealthyCleanup,
} from './deployment-rolling.ts';
import { activeOrLatest, isSaturated, proportionalSizes } from './deployment-scale.ts';
import { findNewSet, newSetAnnotations, withReplicas } from './deployment-revision.ts';

function deployment(replicas: number, maxSurge: number | string, maxUnavailable: number | string): Deployment {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'app:v2' }] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'd' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
    },
  };
}

function set(
  name: string,
  replicas: number,
  available: number,
  created = 1,
  annotations: { readonly [key: string]: string } = {},
): ReplicaSet {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name, namespace: 'd', uid: name, creationTimestamp: `2026-01-01T00:00:0${created}Z`, annotations },
    spec: { replicas, selector: {} },
    status: { replicas, availableReplicas: available },
  };
}

describe('rolling update arithmetic', () => {
  it('rounds surge up and unavailability down, and never leaves both at zero', () => {
    expect(resolveFenceposts('25%', '25%', 10)).toEqual({ maxSurge: 3, maxUnavailable: 2 });
    expect(resolveFenceposts('0%', '1%', 4)).toEqual({ maxSurge: 0, maxUnavailable: 1 });
    expect(rollingBounds(deployment(3, 1, 10)).maxUnavailable).toBe(3);
  });

  it('lets the new set grow as far as the surge allows', () => {
    const web = deployment(10, 3, 2);
    expect(newSetReplicas(web, [set('old', 10, 10)], 0)).toBe(3);
    expect(newSetReplicas(web, [set('old', 8, 8), set('new', 5, 3)], 5)).toBe(5);
  });

  it('counts unavailable new pods as missing before it takes old ones away', () => {
    const web = deployment(10, 3, 2);
    const fresh = set('new', 3, 0);
    expect(maxScaledDown(web, [set('old', 10, 10), fresh], fresh)).toBe(2);
  });

  it('removes unhealthy old pods first, oldest set first', () => {
    expect(
      unhealthyCleanup([set('b', 3, 1, 2), set('a', 2, 1, 1)], 2).resizes.map(({ set: s, replicas }) => [s.metadata.name, replicas]),
    ).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    expect(rollingScaleDown(deployment(4, 1, 1), [set('a', 4, 4)], 4).map(({ replicas }) => replicas)).toEqual([3]);
  });
});

describe('a status that is older than the spec', () => {
  // Upstream refuses to scale a set "down" from 2 to 3 and leaves the old sets alone until their status has caught up; going on would count
  // the pod that is on its way out as available and take one too many.
  it('stops the clean-up of old sets', () => {
    expect(unhealthyCleanup([set('old', 2, 3)], 1)).toEqual({ resizes: [], stale: true });
    expect(unhealthyCleanup([set('old', 2, 2)], 1)).toEqual({ resizes: [], stale: false });
  });
});

describe('proportional scaling', () => {
  const marked = (desired: number, max: number): { readonly [key: string]: string } => withReplicas(undefined, desired, max);

  it('distributes by size and gives the rest to the largest', () => {
    const web = deployment(15, 3, 2);
    const sizes = proportionalSizes(web, set('new', 5, 0, 2, marked(10, 13)), [set('old', 8, 8, 1, marked(10, 13))]);
    expect(sizes.map(({ set: s, replicas }) => [s.metadata.name, replicas])).toEqual([
      ['old', 11],
      ['new', 7],
    ]);
  });

  it('knows the only active set and a finished rollout', () => {
    expect(activeOrLatest(set('new', 0, 0), [set('old', 3, 3)])?.metadata.name).toBe('old');
    expect(activeOrLatest(set('new', 1, 1), [set('old', 3, 3)])).toBeUndefined();
    expect(isSaturated(deployment(3, 1, 0), set('new', 3, 3, 1, marked(3, 4)))).toBe(true);
  });
});

describe('revisions', () => {
  it('keeps earlier numbers of a set as history', () => {
    const first = newSetAnnotations(deployment(1, 1, 0), undefined, 1);
    const again = newSetAnnotations(deployment(1, 1, 0), first, 3);
    expect(again).toEqual({ 'deployment.kubernetes.io/revision': '3', 'deployment.kubernetes.io/revision-history': '1' });
    expect(newSetAnnotations(deployment(1, 1, 0), again, 3)).toBe(again);
  });

  it('finds the set of a template whatever its hash label', () => {
    const web = deployment(1, 1, 0);
    const same = {
      ...set('x', 1, 1),
      spec: {
        ...set('x', 1, 1).spec,
        template: { ...web.spec.template, metadata: { labels: { app: 'web', 'pod-template-hash': 'abc' } } },
      },
    };
    expect(findNewSet(web, [set('other', 1, 1), same])).toBe(same);
  });
});
