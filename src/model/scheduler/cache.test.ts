import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LabelRequirement } from '../api/label-selector.ts';
import type { Node, Pod } from '../api/types.ts';
import { SchedulerCache } from './cache.ts';

const selector: readonly LabelRequirement[] = [{ key: 'app', operator: '=', values: ['web'] }];

function node(i: number, zone: string): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: `n${i}`, labels: { zone } },
    spec: {},
    status: { allocatable: { cpu: '4', memory: '8Gi', pods: '10' } },
  };
}

function pod(i: number, app: string, nodeName: string): Pod {
  const spec = { containers: [{ name: 'c', resources: { requests: { cpu: '100m' } } }], nodeName };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: `p${i}`, namespace: 'd', uid: `u${i}`, labels: { app } }, spec };
}

describe('scheduler cache', () => {
  it('lists nodes of all zones in turn', () => {
    const cache = new SchedulerCache();
    for (const [i, zone] of ['a', 'a', 'b', 'b', 'a'].entries())
      cache.setNode({ ...node(i, zone), metadata: { name: `n${i}`, labels: { 'topology.kubernetes.io/zone': zone } } });
    expect(cache.nodes.map((info) => info.name)).toEqual(['n0', 'n2', 'n1', 'n3', 'n4']);
  });

  it('counts an assumed pod until it is forgotten or confirmed', () => {
    const cache = new SchedulerCache();
    cache.setNode(node(1, 'a'));
    cache.assume(pod(1, 'web', 'n1'), 'n1');
    expect(cache.node('n1')?.requested.milliCpu).toBe(100);
    cache.setPod(pod(1, 'web', 'n1'));
    cache.forget('u1');
    expect(cache.node('n1')?.requested.milliCpu).toBe(100);
    cache.removePod('u1');
    expect(cache.node('n1')?.requested.milliCpu).toBe(0);
  });

  it('keeps the counts of a selector as a count from scratch would have them', () => {
    const step = fc.record({
      i: fc.nat(8),
      app: fc.constantFrom('web', 'db'),
      node: fc.nat(3),
      what: fc.constantFrom('set', 'remove', 'relabel'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const cache = new SchedulerCache();
        for (let i = 0; i < 4; i++) cache.setNode(node(i, i % 2 === 0 ? 'a' : 'b'));
        for (const { i, app, node: n, what } of steps) {
          if (what === 'set') cache.setPod(pod(i, app, `n${n}`));
          else if (what === 'remove') cache.removePod(`u${i}`);
          else cache.setNode(node(n, i % 2 === 0 ? 'a' : 'b'));
          const byNode = cache.counts.of('d', selector);
          const byDomain = cache.counts.byDomain('d', selector, 'zone');
          const slow = new Map<string, number>();
          for (const info of cache.nodes) {
            const own = [...info.pods.values()].filter((p) => p.pod.metadata.labels?.['app'] === 'web').length;
            expect(byNode.get(info.name) ?? 0).toBe(own);
            const zone = info.labels['zone'] ?? '';
            slow.set(zone, (slow.get(zone) ?? 0) + own);
          }
          for (const [zone, count] of slow) expect(byDomain.get(zone) ?? 0).toBe(count);
        }
      }),
    );
  });
});
