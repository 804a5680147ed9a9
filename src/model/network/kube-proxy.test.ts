import { describe, expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import type { EndpointSlice, Service } from '../api/types.ts';
import { ENDPOINT_SLICES, PODS, SERVICES } from '../client/resources.ts';
import { pod, testCluster } from '../kubelet/test-cluster.fixture.ts';
import { DEFAULT_TRAFFIC_CONFIG, traffic, type TrafficConfig } from '../workload/traffic.ts';
import { kubeProxy } from './kube-proxy.ts';
import { NodeRules } from './node-rules.ts';
import { serviceRules } from './service-rule.ts';

const service: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    clusterIP: '10.96.0.50',
    clusterIPs: ['10.96.0.50'],
    ports: [{ name: 'http', port: 80, targetPort: 80, protocol: 'TCP' }],
    selector: { app: 'web' },
  },
};

type Condition = { ready: boolean; serving?: boolean; terminating?: boolean; node?: string; zone?: string };

function slice(endpoints: Readonly<Record<string, Condition>>): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
    endpoints: Object.entries(endpoints).map(([ip, { node, zone, ...conditions }]) => ({
      addresses: [ip],
      conditions,
      ...(node === undefined ? {} : { nodeName: node }),
      ...(zone === undefined ? {} : { hints: { forZones: [{ name: zone }] } }),
    })),
  };
}

function backends(endpoints: Readonly<Record<string, Condition>>, spec: Partial<Service['spec']> = {}, zone?: string) {
  const [rule] = serviceRules({
    service: { ...service, spec: { ...service.spec, ...spec } },
    slices: [slice(endpoints)],
    node: 'worker-0',
    zone,
  });
  return { internal: rule?.internal.map((b) => b.address), external: rule?.external.map((b) => b.address) };
}

describe('the backends of a service', () => {
  it('are the ready endpoints', () => {
    expect(backends({ '10.0.0.1': { ready: true }, '10.0.0.2': { ready: false } }).internal).toEqual(['10.0.0.1']);
  });

  it('are those that serve while they terminate, where none is ready', () => {
    const leaving = { ready: false, serving: true, terminating: true };
    expect(backends({ '10.0.0.1': leaving, '10.0.0.2': { ready: false, serving: false, terminating: true } }).internal).toEqual([
      '10.0.0.1',
    ]);
    expect(backends({ '10.0.0.1': leaving, '10.0.0.2': { ready: true } }).internal).toEqual(['10.0.0.2']);
  });

  it('are local ones under policy Local', () => {
    const endpoints = { '10.0.0.1': { ready: true, node: 'worker-0' }, '10.0.0.2': { ready: true, node: 'worker-1' } };
    expect(backends(endpoints, { internalTrafficPolicy: 'Local' })).toEqual({ internal: ['10.0.0.1'], external: ['10.0.0.1', '10.0.0.2'] });
    expect(backends(endpoints, { externalTrafficPolicy: 'Local' })).toEqual({ internal: ['10.0.0.1', '10.0.0.2'], external: ['10.0.0.1'] });
  });

  it('are those of the zone where all have hints', () => {
    const endpoints = { '10.0.0.1': { ready: true, zone: 'zone-a' }, '10.0.0.2': { ready: true, zone: 'zone-b' } };
    expect(backends(endpoints, {}, 'zone-a').internal).toEqual(['10.0.0.1']);
    expect(backends(endpoints, {}, 'zone-c').internal).toEqual(['10.0.0.1', '10.0.0.2']);
  });
});

/** Two ready pods on one node, a proxy on it, and a client of the service. */
function setUp(config: Partial<TrafficConfig> = {}) {
  const t = testCluster();
  const host = t.world.host('worker-0');
  const rules = new NodeRules(host);
  host.install(kubeProxy({ node: 'worker-0', rules, servers: [t.world.network.endpoint('cp-0', '6443')], facts: t.facts }));
  const programmed: string[] = [];
  t.facts.endpointsProgrammed.subscribe((_node, _service, port, list) => programmed.push(`${port} ${list}`));
  t.script(function* () {
    const container = { name: 'c', image: 'nginx', ports: [{ containerPort: 80 }] };
    for (const name of ['a', 'b']) expect((yield* t.client.resource(PODS).create(pod(name, { containers: [container] }))).ok).toBe(true);
    expect((yield* t.client.resource(SERVICES).create(service)).ok).toBe(true);
    expect(
      (yield* t.client.resource(ENDPOINT_SLICES).create(slice({ '10.244.0.2': { ready: true }, '10.244.0.3': { ready: true } }))).ok,
    ).toBe(true);
  });
  t.world.run(10 * SECOND);
  const outcomes: string[] = [];
  t.facts.requestAnswered.subscribe((_id, outcome) => outcomes.push(outcome));
  let next = 1;
  t.world.host('client-0').install(
    traffic({
      config: { ...DEFAULT_TRAFFIC_CONFIG, client: 'client-0', service: 'default/web', port: 80, ...config },
      facts: t.facts,
      entries: [rules],
      nextRequest: () => next++,
    }),
  );
  const count = () => {
    const counts: Record<string, number> = {};
    for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
    return counts;
  };
  return { ...t, rules, programmed, count, outcomes };
}

describe('traffic through kube-proxy', () => {
  it('is answered by the programmed backends', () => {
    const t = setUp();
    t.world.run(20 * SECOND);
    expect(t.programmed.at(-1)).toBe('http 10.244.0.2:80,10.244.0.3:80');
    expect(Object.keys(t.count())).toEqual(['ok']);
    expect(t.count().ok).toBeGreaterThan(95);
  });

  it('goes on with the old rules while kube-proxy is dead, and meets dead backends', () => {
    const t = setUp();
    t.world.host('worker-0').process('kube-proxy-worker-0')?.kill('test');
    t.script(function* () {
      yield* t.client.resource(PODS).delete('default', 'a', { options: { gracePeriodSeconds: 0 } });
      yield* t.client.resource(ENDPOINT_SLICES).update(slice({ '10.244.0.3': { ready: true } }));
    });
    t.world.run(20 * SECOND);
    const { ok = 0, ...bad } = t.count();
    expect(ok).toBeGreaterThan(20);
    expect(Object.values(bad).reduce((sum, n) => sum + n, 0)).toBeGreaterThan(20);
    t.world.host('worker-0').start('kube-proxy-worker-0');
    t.world.run(22 * SECOND);
    t.outcomes.length = 0;
    t.world.run(32 * SECOND);
    expect(Object.keys(t.count())).toEqual(['ok']);
  });

  it('is refused when the service has no endpoints', () => {
    const t = setUp();
    t.script(function* () {
      yield* t.client.resource(ENDPOINT_SLICES).update(slice({}));
    });
    t.world.run(12 * SECOND);
    t.outcomes.length = 0;
    t.world.run(15 * SECOND);
    expect(Object.keys(t.count())).toEqual(['no-backend']);
  });

  it('stays with its connection when that is kept alive', () => {
    const t = setUp({ keepAlive: true });
    t.world.run(11 * SECOND);
    t.script(function* () {
      yield* t.client.resource(ENDPOINT_SLICES).update(slice({}));
    });
    t.world.run(20 * SECOND);
    expect(Object.keys(t.count())).toEqual(['ok']);
  });
});
