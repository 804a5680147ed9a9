import { describe, expect, it } from 'vitest';
import { MINUTE, SECOND } from '../../sim/time.ts';
import { World } from '../../sim/world.ts';
import { type Cluster, buildCluster } from '../cluster.ts';
import type { DefectId } from '../defects.ts';
import { createFacts } from '../facts.ts';
import { clusterPreset } from '../presets.ts';
import { CloudInventory } from './compute.ts';

interface Setup {
  readonly world: World;
  readonly cluster: Cluster;
  /** Names of the nodes that there are. */
  readonly nodes: () => readonly string[];
  readonly deleted: string[];
}

function cloudCluster(defects: readonly DefectId[] = []): Setup {
  const world = new World({ seed: 'cloud' });
  const facts = createFacts();
  const present = new Set<string>();
  const deleted: string[] = [];
  facts.objectChanged.subscribe((_revision, key, object) => {
    if (!key.startsWith('/registry/minions/')) return;
    const name = key.slice('/registry/minions/'.length);
    if (object !== undefined) present.add(name);
    else {
      present.delete(name);
      deleted.push(name);
    }
  });
  const cluster = buildCluster(world, { ...clusterPreset('docker-desktop'), cloud: true }, { facts, defects: new Set(defects) });
  return { world, cluster, nodes: () => [...present].sort(), deleted };
}

describe('the cloud controller manager', () => {
  it('takes a node out when it is silent and its machine is gone, and leaves one whose machine only stands still', () => {
    const { world, cluster, nodes } = cloudCluster();
    world.run(6 * MINUTE);
    expect(nodes()).toEqual(['worker-0', 'worker-1']);
    cluster.inventory.terminate('worker-1', world.now);
    world.host('worker-1').cutPower();
    world.host('worker-0').pause();
    world.run(8 * MINUTE);
    expect(nodes()).toEqual(['worker-0']);
  });

  it('leaves a node that has just come, even if the cloud does not know its machine; with K17 it does not', () => {
    for (const [defects, gone] of [
      [[], []],
      [['K17'], ['worker-1']],
    ] as const) {
      const { world, cluster, deleted } = cloudCluster(defects);
      cluster.inventory.lagUs = 10 * MINUTE;
      world.run(20 * SECOND);
      // Its kubelet dies right away: the node is silent, its machine is there.
      world.host('worker-1').process('kubelet-worker-1')?.pause();
      world.run(100 * SECOND);
      expect(deleted).toEqual(gone);
    }
  });
});

describe('the books of the cloud', () => {
  it('are told as they were some time ago', () => {
    const inventory = new CloudInventory();
    inventory.launch('a', 10);
    expect([inventory.exists('a', 9), inventory.exists('a', 10), inventory.exists('b', 10)]).toEqual([false, true, false]);
    inventory.lagUs = 5;
    expect([inventory.exists('a', 14), inventory.exists('a', 15)]).toEqual([false, true]);
    inventory.terminate('a', 20);
    expect([inventory.exists('a', 24), inventory.exists('a', 25)]).toEqual([true, false]);
    expect(inventory.outdated).toBe(2);
  });
});
