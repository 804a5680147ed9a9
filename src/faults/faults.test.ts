import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { MILLISECOND, SECOND } from '../sim/time.ts';
import type { ActiveFault, FaultParams } from './fault.ts';
import { FAULTS, faultKinds, faultOf, findFault, indexFaults } from './registry.ts';
import { TOPOLOGIES, testTarget } from './test-world.fixture.ts';
import type { Topology } from './topology.ts';

const topologies = Object.entries(TOPOLOGIES) as [keyof typeof TOPOLOGIES, Topology][];

/** Kinds that a cluster offers nothing to, or that only a scenario can draw because it knows the objects. */
const NOT_DRAWN: Readonly<Record<keyof typeof TOPOLOGIES, readonly string[]>> = {
  store: [
    'api-flood',
    'app-hang',
    'apply-deployment',
    'cloud-lag',
    'connection-reset',
    'delete-namespace',
    'delete-node',
    'delete-pod',
    'drain-node',
    'etcd-auth-enable',
    'etcd-learner-add',
    'etcd-member-add',
    'etcd-member-promote',
    'etcd-member-remove',
    'etcd-members-change',
    'link-hold',
    'partition-at-fact',
    'reclaim-machine',
    'scale',
    'set-image',
    'watch-delay',
    'watch-stall',
  ],
  single: [
    'app-hang',
    'apply-deployment',
    'cloud-lag',
    'delete-namespace',
    'delete-node',
    'delete-pod',
    'drain-node',
    'etcd-auth-enable',
    'etcd-learner-add',
    'etcd-member-add',
    'etcd-member-promote',
    'etcd-member-remove',
    'etcd-members-change',
    'link-hold',
    'move-leader',
    'partition-at-fact',
    'partition-zone',
    'reclaim-machine',
    'scale',
    'set-image',
  ],
  ha: [
    'app-hang',
    'apply-deployment',
    'cloud-lag',
    'delete-namespace',
    'delete-node',
    'delete-pod',
    'etcd-auth-enable',
    'etcd-learner-add',
    'etcd-member-add',
    'etcd-member-promote',
    'etcd-member-remove',
    'etcd-members-change',
    'link-hold',
    'partition-at-fact',
    'reclaim-machine',
    'scale',
    'set-image',
  ],
};

/** Parameters of what only a scenario draws, because it knows the objects. */
const OPERATIONS: readonly (FaultParams & { readonly [name: string]: unknown })[] = [
  { kind: 'app-hang', workload: 'shop/front', ordinal: 0 },
  { kind: 'cloud-lag', lagMs: 1000 },
  { kind: 'apply-deployment', deployment: 'shop/front', image: 'front:2', replicas: 5 },
  { kind: 'delete-namespace', namespace: 'shop' },
  { kind: 'delete-node', node: 'worker-1' },
  { kind: 'delete-pod', workload: 'shop/front', ordinal: 1 },
  { kind: 'etcd-auth-enable' },
  { kind: 'etcd-learner-add', member: 'etcd-2' },
  { kind: 'etcd-member-add', name: 'spare-0' },
  { kind: 'etcd-member-promote', member: 'etcd-2' },
  { kind: 'etcd-member-remove', member: 'etcd-2' },
  { kind: 'etcd-members-change', add: [], remove: ['etcd-1', 'etcd-2'] },
  { kind: 'reclaim-machine', host: 'worker-1' },
  { kind: 'scale', deployment: 'shop/front', replicas: 3 },
  { kind: 'set-image', deployment: 'shop/front', image: 'front:2' },
];

describe('the registry', () => {
  it('is sorted, knows every kind once, and refuses a kind that is registered twice', () => {
    const kinds = FAULTS.map((f) => f.kind);
    expect(kinds).toEqual([...kinds].sort());
    expect(faultKinds()).toEqual(kinds);
    expect(findFault('partition')?.kind).toBe('partition');
    expect(findFault('nope')).toBeUndefined();
    expect(() => faultOf('nope')).toThrow(/unknown fault kind nope; known: .*clock-drift, /);
    expect(() => indexFaults([...FAULTS, faultOf('partition')])).toThrow(/partition is registered twice/);
  });

  it('every kind says in a sentence what it does', () => {
    for (const f of FAULTS) expect(f.about).toMatch(/^[A-Z].*\.$/);
  });
});

describe.each(topologies)('every kind on %s', (name, topology) => {
  it('is drawn unless the cluster has nothing for it', () => {
    expect(FAULTS.filter((f) => f.arbitrary(topology) === undefined).map((f) => f.kind)).toEqual(NOT_DRAWN[name]);
  });

  it.each(FAULTS.filter((f) => f.arbitrary(topology) !== undefined).map((f) => [f.kind] as const))(
    '%s: what is drawn survives YAML, shrinks from a file, has a label, and lanes that exist',
    (kind) => {
      const fault = faultOf(kind);
      const arbitrary = fault.arbitrary(topology) as fc.Arbitrary<FaultParams>;
      const lanes = topology.hosts.flatMap((h) => [h.name, ...h.programs]);
      for (const params of fc.sample(arbitrary, { numRuns: 40, seed: 11 })) {
        const read = parse(stringify(params, { aliasDuplicateObjects: false })) as FaultParams;
        expect(read).toEqual(params);
        expect(Object.keys(read)).toEqual(expect.arrayContaining(['kind', ...Object.keys(fault.params)]));
        expect(arbitrary.canShrinkWithoutContext(read)).toBe(true);
        for (const shrunk of arbitrary.shrink(read, undefined)) {
          expect(arbitrary.canShrinkWithoutContext(shrunk.value)).toBe(true);
          break;
        }
        expect(fault.describe(read).length).toBeGreaterThan(kind.length / 3);
        for (const lane of fault.lanes(read, topology)) expect(lanes).toContain(lane);
      }
    },
  );

  it('describe and lanes answer also for parameters that no cluster has', () => {
    for (const fault of FAULTS) {
      const strange = { kind: fault.kind } as Record<string, unknown>;
      for (const [key, spec] of Object.entries(fault.params) as [string, { readonly type: string; readonly min?: number }][]) {
        strange[key] = spec.type === 'integer' ? 0 : spec.type === 'names' ? [] : spec.type === 'boolean' ? false : 'nowhere';
      }
      expect(typeof fault.describe(strange as unknown as FaultParams)).toBe('string');
      expect(Array.isArray(fault.lanes(strange as unknown as FaultParams, topology))).toBe(true);
    }
  });
});

/** What healing must give back. */
function stateOf(target: ReturnType<typeof testTarget>): object {
  const { world, topology } = target;
  return topology.hosts.map(({ name, programs }) => {
    const host = world.host(name);
    return {
      name,
      up: host.up,
      programs: programs.map((p) => `${p} ${host.process(p)?.state}`),
      // What it gained or lost by a drift stays, as it does without NTP.
      drift: host.clock.error().driftPpm,
      // A clock that went ahead stays ahead; one that fell behind is set right.
      jumped: Math.min(0, host.clock.error().wallErrorUs - (host.clock.mono() - world.now)),
      blocked: world.hosts().filter((o) => o !== host && world.network.link(host, o)?.blocked),
      full: host.disk.full,
    };
  });
}

describe('inject and heal', () => {
  const drawn = fc.oneof(
    ...FAULTS.map((f) => f.arbitrary(TOPOLOGIES.ha))
      .filter((a) => a !== undefined)
      .map((a) => a as fc.Arbitrary<FaultParams>),
  );
  const plan = fc.array(fc.record({ params: drawn, atMs: fc.integer({ min: 100, max: 9000 }), forMs: fc.integer({ min: 1, max: 9000 }) }), {
    minLength: 1,
    maxLength: 10,
  });

  it('leave the world as it was, also when faults overlap', () => {
    fc.assert(
      fc.property(plan, fc.string(), (faults, seed) => {
        const target = testTarget(TOPOLOGIES.ha, seed);
        const { world } = target;
        const active: ActiveFault[] = [];
        world.run(50 * MILLISECOND);
        const before = stateOf(target);
        for (const { params, atMs, forMs } of faults) {
          world.at(atMs * MILLISECOND, () => {
            const one = faultOf(params.kind).inject(target, params);
            active.push(one);
            world.at(world.now + forMs * MILLISECOND, () => one.heal());
          });
        }
        world.run(30 * SECOND);
        expect(active.length).toBe(faults.length);
        for (const one of active) expect(one.touched()).toBeGreaterThanOrEqual(0);
        expect(stateOf(target)).toEqual(before);
        // Nothing is left to slow messages or syncs down: each takes its usual time.
        const disks = world.hosts().map((h) => ({ ...h.disk.touched }));
        world.run(35 * SECOND);
        world.hosts().forEach((h, i) => {
          expect(h.disk.touched).toMatchObject({ slowSyncs: disks[i]?.slowSyncs, stalledSyncs: disks[i]?.stalledSyncs });
        });
      }),
      { seed: 12, numRuns: 60 },
    );
  });

  it('a modifier of links is gone after healing and counts no more', () => {
    for (const kind of ['link-loss', 'link-latency', 'link-duplication', 'link-reorder']) {
      const target = testTarget(TOPOLOGIES.ha);
      const params = {
        kind,
        hosts: ['cp-0'],
        lossPercent: 50,
        latencyMs: 100,
        duplicatePercent: 50,
        reorderMs: 100,
      } as unknown as FaultParams;
      const active = faultOf(kind).inject(target, params);
      target.world.run(5 * SECOND);
      const touched = active.touched();
      expect(touched).toBeGreaterThan(0);
      active.heal();
      target.world.run(10 * SECOND);
      expect(active.touched()).toBe(touched);
    }
  });

  it('a fault of a disk counts until it is healed, not what the next one of its kind touches', () => {
    for (const kind of ['disk-slow', 'disk-stall', 'disk-full']) {
      const target = testTarget(TOPOLOGIES.ha);
      const params = { kind, host: 'cp-0', factor: 3 } as unknown as FaultParams;
      const first = faultOf(kind).inject(target, params);
      target.world.run(3 * SECOND);
      first.heal();
      const touched = first.touched();
      expect(touched).toBeGreaterThan(0);
      const second = faultOf(kind).inject(target, params);
      target.world.run(6 * SECOND);
      expect([first.touched(), second.touched() > 0]).toEqual([touched, true]);
    }
  });

  it('every kind that is drawn touches something in a cluster that is at work', () => {
    // The others are never drawn: below.
    for (const fault of FAULTS.filter(({ kind }) => kind !== 'partition-at-fact' && kind !== 'link-hold')) {
      const params =
        OPERATIONS.find((o) => o.kind === fault.kind) ??
        fc.sample(fault.arbitrary(TOPOLOGIES.ha) as fc.Arbitrary<FaultParams>, { numRuns: 1, seed: 3 })[0];
      if (params === undefined || ['watch-delay', 'watch-stall', 'connection-reset'].includes(fault.kind)) continue; // need streams: scenarios show them
      const target = testTarget(TOPOLOGIES.ha);
      target.world.run(100 * MILLISECOND);
      target.world.at(SECOND, () => target.facts.raftVote.emit('etcd-0', 1, 'etcd-1'));
      const soon: Readonly<Record<string, object>> = {
        'crash-at-effect': { effects: 3 },
        'crash-at-fact': { program: 'etcd-0', fact: 'raftVote', nth: 1 },
        'mute-at-fact': { program: 'etcd-0', fact: 'raftVote', nth: 1, diesAfterEffects: 0 },
      };
      const active = fault.inject(target, { ...params, ...soon[fault.kind] });
      target.world.run(20 * SECOND);
      expect([fault.kind, active.touched()]).not.toEqual([fault.kind, 0]);
      active.heal();
    }
  });

  it('operations ask the operator and have nothing to heal', () => {
    const target = testTarget(TOPOLOGIES.ha);
    for (const params of [
      ...OPERATIONS.slice(2),
      { kind: 'etcd-compact', behind: 5, deletes: false },
      { kind: 'etcd-defragment', member: 'etcd-1' },
      { kind: 'move-leader', member: 'etcd-1' },
    ] as FaultParams[]) {
      const fault = faultOf(params.kind);
      expect(fault.operation).toBe(true);
      const active = fault.inject(target, params);
      active.heal();
      expect(active.touched()).toBe(1);
    }
    expect(target.orders).toEqual([
      'apply-deployment shop/front front:2 5',
      'delete-namespace shop',
      'delete-node worker-1',
      'delete-pod shop/front 1',
      'etcdctl auth-enable',
      'etcdctl learner-add',
      'etcdctl member-add',
      'etcdctl member-promote',
      'etcdctl member-remove',
      'etcdctl members-change',
      'reclaim worker-1',
      'scale shop/front 3',
      'set-image shop/front front:2',
      'etcdctl compact',
      'etcdctl defragment',
      'move-leader etcd-1',
    ]);
  });
});

describe('link-hold', () => {
  it('holds one direction back until its time, in order, and loses nothing', () => {
    const target = testTarget(TOPOLOGIES.store);
    const { world } = target;
    const arrived: [string, number, number][] = [];
    for (const [name, port] of [
      ['cp-0', 'from-1'],
      ['cp-1', 'from-0'],
    ] as const)
      world.host(name).install({
        name: `ear-${name}`,
        start: (process) => {
          world.network.listen(process, name, port, { onDatagram: (payload) => void arrived.push([name, payload as number, world.now]) });
        },
      });
    const params = { kind: 'link-hold', from: ['cp-1'], to: ['cp-0'], holdMs: 2000 } as FaultParams;
    world.run(SECOND);
    const active = faultOf('link-hold').inject(target, params);
    const send = (from: string, to: string, port: string, payload: number): void => {
      const process = world.host(from).processes()[0];
      if (process !== undefined) world.network.send(process, world.network.endpoint(to, port), payload, 10, true);
    };
    send('cp-1', 'cp-0', 'from-1', 1);
    send('cp-0', 'cp-1', 'from-0', 2);
    world.at(2 * SECOND, () => send('cp-1', 'cp-0', 'from-1', 3));
    world.run(2.9 * SECOND);
    expect(arrived.map(([, payload]) => payload)).toEqual([2]);
    world.run(3.1 * SECOND);
    expect(arrived.map(([name, payload]) => [name, payload])).toEqual([
      ['cp-1', 2],
      ['cp-0', 1],
      ['cp-0', 3],
    ]);
    expect(arrived.slice(1).every(([, , at]) => at >= 3 * SECOND)).toBe(true);
    const touched = active.touched();
    expect(touched).toBeGreaterThan(0);
    active.heal();
    world.run(5 * SECOND);
    expect(active.touched()).toBe(touched);
  });
});

describe('partition-at-fact', () => {
  const params: FaultParams & { readonly [name: string]: unknown } = {
    kind: 'partition-at-fact',
    hosts: ['cp-0'],
    program: 'etcd-1',
    fact: 'raftConfig',
    nth: 2,
    oneWay: false,
  };

  it('cuts at the nth fact of that program and no other, both ways, until it is healed', () => {
    const target = testTarget(TOPOLOGIES.store);
    const { world } = target;
    const blocked = (from: string, to: string): boolean => world.network.link(world.host(from), world.host(to))?.blocked === true;
    const active = faultOf('partition-at-fact').inject(target, params);
    target.facts.raftConfig.emit('etcd-1', 1, 'etcd-0,etcd-1', '', '');
    target.facts.raftConfig.emit('etcd-0', 1, 'etcd-0,etcd-1', '', '');
    world.run(3 * SECOND);
    expect([blocked('cp-0', 'cp-1'), active.touched()]).toEqual([false, 0]);
    target.facts.raftConfig.emit('etcd-1', 2, 'etcd-0', '', '');
    expect([blocked('cp-0', 'cp-1'), blocked('cp-1', 'cp-0'), blocked('cp-1', 'cp-2')]).toEqual([true, true, false]);
    world.run(6 * SECOND);
    expect(active.touched()).toBeGreaterThan(0);
    active.heal();
    expect(blocked('cp-0', 'cp-1')).toBe(false);
  });

  it('never strikes once it is healed', () => {
    const target = testTarget(TOPOLOGIES.store);
    const active = faultOf('partition-at-fact').inject(target, { ...params, nth: 1 } as FaultParams);
    active.heal();
    target.facts.raftConfig.emit('etcd-1', 2, 'etcd-0', '', '');
    expect(target.world.network.link(target.world.host('cp-0'), target.world.host('cp-1'))?.blocked).toBe(false);
  });
});

describe('crash-at-effect', () => {
  const params = (powerLoss: boolean): FaultParams =>
    ({ kind: 'crash-at-effect', program: 'etcd-0', effects: 2, powerLoss }) as FaultParams;

  it('takes the host with it when asked, and boots it when healed', () => {
    const target = testTarget(TOPOLOGIES.store);
    target.world.run(100 * MILLISECOND);
    const active = faultOf('crash-at-effect').inject(target, params(true));
    target.world.run(5 * SECOND);
    expect([target.world.host('cp-0').up, active.touched()]).toEqual([false, 1]);
    active.heal();
    expect(target.world.host('cp-0').process('etcd-0')?.alive).toBe(true);
  });

  it('healed before it struck, it strikes no more: a later death of the program is not its doing', () => {
    const target = testTarget(TOPOLOGIES.store);
    const active = faultOf('crash-at-effect').inject(target, { ...params(true), effects: 400 } as FaultParams);
    target.world.run(2 * SECOND);
    active.heal();
    target.world.host('cp-0').process('etcd-0')?.kill('another fault');
    target.world.run(5 * SECOND);
    expect([target.world.host('cp-0').up, active.touched()]).toEqual([true, 0]);
  });

  it('two on one program: the healing of one leaves the other armed', () => {
    const target = testTarget(TOPOLOGIES.store);
    const first = faultOf('crash-at-effect').inject(target, { ...params(false), effects: 300 } as FaultParams);
    const second = faultOf('crash-at-effect').inject(target, { ...params(false), effects: 30 } as FaultParams);
    first.heal();
    target.world.run(30 * SECOND);
    expect([first.touched(), second.touched()]).toEqual([0, 1]);
  });

  it('a host that two faults hold down boots when both are healed', () => {
    const target = testTarget(TOPOLOGIES.store);
    const up = (): readonly boolean[] => target.world.hosts().map((host) => host.up);
    const one = faultOf('crash-host').inject(target, { kind: 'crash-host', host: 'cp-0' } as FaultParams);
    const all = faultOf('power-outage').inject(target, { kind: 'power-outage', hosts: ['cp-0', 'cp-1'] } as FaultParams);
    one.heal();
    expect(up()).toEqual([false, false, true, true]);
    all.heal();
    expect(up()).toEqual([true, true, true, true]);
  });

  it('does not boot a host that another fault holds down', () => {
    const target = testTarget(TOPOLOGIES.store);
    const active = faultOf('crash-at-effect').inject(target, params(false));
    target.world.run(2 * SECOND);
    const outage = faultOf('crash-host').inject(target, { kind: 'crash-host', host: 'cp-0' } as FaultParams);
    active.heal();
    expect(target.world.host('cp-0').up).toBe(false);
    outage.heal();
    expect(target.world.host('cp-0').process('etcd-0')?.alive).toBe(true);
  });

  it('a program that two faults keep down starts when both are healed, and no boot of its host starts it before', () => {
    const target = testTarget(TOPOLOGIES.store);
    const host = target.world.host('cp-0');
    const runs = (): boolean => host.process('etcd-0')?.alive === true;
    const kill = (): ActiveFault => faultOf('crash-process').inject(target, { kind: 'crash-process', program: 'etcd-0' } as FaultParams);
    const armed = faultOf('crash-at-effect').inject(target, params(false));
    target.world.run(5 * SECOND);
    const first = kill();
    const second = kill();
    expect([armed.touched(), first.touched(), second.touched()]).toEqual([1, 0, 0]);
    first.heal();
    armed.heal();
    expect(runs()).toBe(false);
    const outage = faultOf('crash-host').inject(target, { kind: 'crash-host', host: 'cp-0' } as FaultParams);
    outage.heal();
    expect([host.up, runs()]).toEqual([true, false]);
    second.heal();
    expect(runs()).toBe(true);
  });
});
