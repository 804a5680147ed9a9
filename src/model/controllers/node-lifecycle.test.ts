import { describe, expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import { World } from '../../sim/world.ts';
import type { Node } from '../api/types.ts';
import { Informer } from '../client/informer.ts';
import { NODES } from '../client/resources.ts';
import { buildCluster } from '../cluster.ts';
import { createFacts } from '../facts.ts';
import { nodeCondition } from './node-conditions.ts';

interface Seen {
  readonly at: number;
  readonly node: string;
  readonly ready: string;
  readonly taints: string;
}

/** A cluster of one control plane and three workers; tells every change of readiness and taints. */
function cluster() {
  const world = new World({ seed: 'node lifecycle' });
  const built = buildCluster(world, { preset: 'test', kubernetes: true, controlPlanes: 1, workers: 3, zones: 1 }, { facts: createFacts() });
  const story: Seen[] = [];
  const state = new Map<string, string>();
  const note = (node: Node) => {
    const ready = nodeCondition(node, 'Ready')?.status ?? 'none';
    const taints = (node.spec?.taints ?? [])
      .map((taint) => `${taint.key.replace('node.kubernetes.io/', '')}:${taint.effect}`)
      .sort()
      .join(',');
    const name = node.metadata.name ?? '';
    if (state.get(name) === `${ready} ${taints}`) return;
    state.set(name, `${ready} ${taints}`);
    story.push({ at: world.now / SECOND, node: name, ready, taints });
  };
  world.host('client-0').install({
    name: 'user',
    start: (process) => {
      const client = built.client(process, { name: 'admin', groups: ['system:masters'] }, 'kubectl');
      const nodes = new Informer(client.transport, NODES);
      nodes.addHandler({ onAdd: note, onUpdate: (_, node) => note(node) });
      nodes.start();
    },
  });
  return { world, story };
}

describe('node lifecycle', () => {
  it('taints a silent node after 50 to 60 seconds, and takes the taints back when it returns', () => {
    const { world, story } = cluster();
    world.run(40 * SECOND);
    expect(
      story
        .filter((seen) => seen.ready === 'True' && seen.taints === '')
        .map((seen) => seen.node)
        .sort(),
    ).toEqual(['worker-0', 'worker-1', 'worker-2']);
    story.length = 0;
    world.host('worker-0').crash();
    world.run(120 * SECOND);
    world.host('worker-0').boot();
    world.run(180 * SECOND);
    expect(story.map((seen) => `${seen.node} ${seen.ready} ${seen.taints}`)).toEqual([
      'worker-0 Unknown ',
      'worker-0 Unknown unreachable:NoSchedule',
      'worker-0 Unknown unreachable:NoExecute,unreachable:NoSchedule',
      'worker-0 True unreachable:NoExecute,unreachable:NoSchedule',
      'worker-0 True unreachable:NoExecute',
      'worker-0 True ',
    ]);
    const silentAt = story[0]?.at ?? 0;
    expect(silentAt).toBeGreaterThan(40 + 40);
    expect(silentAt).toBeLessThan(40 + 56);
  });

  it('evicts nothing while every node is silent', () => {
    const { world, story } = cluster();
    world.run(40 * SECOND);
    for (const name of ['worker-0', 'worker-1', 'worker-2']) world.host(name).crash();
    world.run(200 * SECOND);
    expect(story.filter((seen) => seen.ready === 'Unknown')).not.toEqual([]);
    expect(story.filter((seen) => seen.taints.includes('NoExecute'))).toEqual([]);
  });
});
