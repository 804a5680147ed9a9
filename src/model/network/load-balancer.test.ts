import { expect, it } from 'vitest';
import type { Process } from '../../sim/process.ts';
import { SECOND } from '../../sim/time.ts';
import { World } from '../../sim/world.ts';
import { DEFAULT_LOAD_BALANCER_CONFIG, LoadBalancer } from './load-balancer.ts';
import { NodeRules } from './node-rules.ts';
import type { ServiceRule } from './service-rule.ts';

const rule = (localReady: number): ServiceRule => ({
  service: 'shop/web',
  portName: 'http',
  port: 80,
  protocol: 'TCP',
  clusterIp: '10.96.0.9',
  nodePort: 30080,
  externalIps: [],
  internal: [],
  external: [],
  externalLocal: true,
  internalLocal: false,
  localReady,
  affinitySeconds: 0,
});

it('a node without ready pods of its own gets traffic until two checks have failed, and again after one that succeeds', () => {
  const world = new World({ seed: 'lb' });
  const nodes = ['worker-0', 'worker-1'].map((name) => new NodeRules(world.addHost({ name, zone: 'zone-a' })));
  for (const node of nodes) node.set('shop/web', [rule(1)]);
  let balancer: LoadBalancer | undefined;
  const start = (process: Process): void => {
    balancer = new LoadBalancer(process, 'shop/web', nodes);
  };
  world.addHost({ name: 'client-0', zone: 'zone-a' }).install({ name: 'traffic', start });
  const targets = (): readonly string[] => balancer?.targets.map((node) => node.host.name) ?? [];
  const { periodUs } = DEFAULT_LOAD_BALANCER_CONFIG;
  world.run(SECOND);
  expect(targets()).toEqual(['worker-0', 'worker-1']);
  nodes[0]?.set('shop/web', [rule(0)]);
  world.run(SECOND + periodUs);
  expect(targets()).toEqual(['worker-0', 'worker-1']);
  world.run(SECOND + 2 * periodUs);
  expect(targets()).toEqual(['worker-1']);
  // Where no node says yes, all of them are tried.
  nodes[1]?.set('shop/web', [rule(0)]);
  world.run(SECOND + 4 * periodUs);
  expect(targets()).toEqual(['worker-0', 'worker-1']);
  nodes[1]?.set('shop/web', [rule(2)]);
  world.run(SECOND + 6 * periodUs);
  expect(targets()).toEqual(['worker-1']);
});
