import { describe, expect, it } from 'vitest';
import { World } from '../../sim/world.ts';
import type { Process } from '../../sim/process.ts';
import { MILLISECOND, SECOND } from '../../sim/time.ts';
import { MemoryStorage } from '../apiserver/memory-storage.ts';
import { apiServer } from '../apiserver/server.ts';
import { createFacts } from '../facts.ts';
import { EventBroadcaster } from './events.ts';
import { Informer } from './informer.ts';
import { LeaderElector } from './leader-election.ts';
import { CONFIG_MAPS, EVENTS, LEASES } from './resources.ts';
import { ApiTransport } from './transport.ts';
import { Client } from './typed-client.ts';
import { runWorkers, WorkQueue } from './work-queue.ts';

/** One API server over a memory store on `cp-0`, and processes on `client-N`. */
function setUp(clients = 1) {
  const world = new World({ seed: 'client test' });
  const facts = createFacts();
  const storage = new MemoryStorage();
  const host = world.addHost({ name: 'cp-0', zone: 'zone-a' });
  host.install(apiServer({ name: 'api-0', address: 'cp-0', storage: () => storage, facts }));
  const processes: Process[] = [];
  for (let i = 0; i < clients; i++) {
    const client = world.addHost({ name: `client-${i}`, zone: 'zone-a' });
    client.install({ name: 'program', start: (process) => processes.push(process) });
  }
  world.run(SECOND);
  const clientOf = (process: Process) =>
    new Client(
      new ApiTransport(process, {
        servers: [world.network.endpoint('cp-0', '6443')],
        user: { name: 'admin', groups: ['system:masters'] },
        userAgent: 'test',
      }),
    );
  return { world, facts, storage, processes, clientOf, clients: processes.map(clientOf) };
}

function configMap(name: string, value: string) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data: { value } };
}

describe.each([false, true])('informer with watchList %s', (watchList) => {
  it('syncs, follows changes, survives a restart of the server', () => {
    const { world, processes, clients } = setUp();
    const client = clients[0] as Client;
    const process = processes[0] as Process;
    const seen: string[] = [];
    const informer = new Informer(client.transport, CONFIG_MAPS, { watchList });
    informer.addHandler({
      onAdd: (object, initial) => seen.push(`add ${object.metadata.name}${initial ? ' initial' : ''}`),
      onUpdate: (before, after) => seen.push(`update ${after.metadata.name} ${before.data?.value}>${after.data?.value}`),
      onDelete: (object) => seen.push(`delete ${object.metadata.name}`),
    });
    process.spawn(
      'test',
      (function* () {
        const maps = client.resource(CONFIG_MAPS);
        const a = yield* maps.create(configMap('a', '1'));
        expect(a.ok).toBe(true);
        informer.start();
        yield* informer.waitForSync();
        if (!a.ok) return;
        const updated = yield* maps.update({ ...a.object, data: { value: '2' } });
        expect(updated.ok).toBe(true);
        const stale = yield* maps.update({ ...a.object, data: { value: '3' } });
        expect(stale).toMatchObject({ ok: false, reason: 'Conflict', code: 409 });
        yield* process.sleep(SECOND);
        world.host('cp-0').process('api-0')?.kill('test');
        world.host('cp-0').start('api-0');
        yield* process.sleep(5 * SECOND);
        expect((yield* maps.delete('default', 'a')).ok).toBe(true);
        expect((yield* maps.get('default', 'a')).ok).toBe(false);
        seen.push('end');
      })(),
    );
    world.run(60 * SECOND);
    expect(seen).toEqual(['add a initial', 'update a 1>2', 'delete a', 'end']);
    expect(informer.list()).toEqual([]);
  });
});

describe('transport', () => {
  it('reports a refused connection as not sent', () => {
    const { world, processes, clients } = setUp();
    world.host('cp-0').process('api-0')?.kill('test');
    let answer: unknown;
    (processes[0] as Process).spawn('test', (clients[0] as Client).resource(CONFIG_MAPS).create(configMap('a', '1')), (value) => {
      answer = value;
    });
    world.run(2 * SECOND);
    expect(answer).toMatchObject({ ok: false, reason: 'ConnectionRefused', sent: false, code: 0 });
  });
});

describe('leader election', () => {
  it('gives the lease to one candidate, and to the other when the first is cut off', () => {
    const { world, facts, processes, clients } = setUp(2);
    const story: string[] = [];
    facts.leading.subscribe((_lease, identity, holds) => story.push(`${Math.floor(world.now / SECOND)} ${identity} ${holds}`));
    clients.forEach((client, index) => {
      const process = processes[index] as Process;
      const elector = new LeaderElector(client, {
        namespace: 'kube-system',
        name: 'test',
        identity: `candidate-${index}`,
        facts,
        onStartedLeading: () => undefined,
        onStoppedLeading: () => undefined,
      });
      process.after(index * SECOND, () => process.spawn('elector', elector.run()));
    });
    world.run(10 * SECOND);
    const counter = { touched: 0 } as never;
    world.network.block(world.host('client-0'), world.host('cp-0'), counter);
    world.network.block(world.host('cp-0'), world.host('client-0'), counter);
    world.run(60 * SECOND);
    expect(story.map((line) => line.split(' ').slice(1).join(' '))).toEqual(['candidate-0 true', 'candidate-0 false', 'candidate-1 true']);
    const [, lost, taken] = story.map((line) => Number(line.split(' ')[0])) as [number, number, number];
    expect(lost).toBeLessThanOrEqual(taken);
    let transitions: number | undefined;
    (processes[1] as Process).spawn('read', (clients[1] as Client).resource(LEASES).get('kube-system', 'test'), (result) => {
      if (result.ok) transitions = result.object.spec.leaseTransitions;
    });
    world.run(61 * SECOND);
    expect(transitions).toBe(1);
  });
});

describe('work queue', () => {
  it('never hands a key to two workers, and queues it again when it was added meanwhile', () => {
    const { world, processes } = setUp();
    const process = processes[0] as Process;
    const queue = new WorkQueue(process);
    const log: string[] = [];
    runWorkers(process, 'test', queue, 3, function* (key) {
      log.push(`start ${key}`);
      yield* process.sleep(10 * MILLISECOND);
      log.push(`end ${key}`);
      return undefined;
    });
    process.deliver(
      0,
      1,
      () => {
        queue.add('a');
        queue.add('b');
        queue.add('a');
      },
      undefined,
      undefined,
    );
    world.run(2 * SECOND);
    expect(log).toEqual(['start a', 'start b', 'end a', 'start a', 'end b', 'end a']);
  });

  it('backs off by powers of two', () => {
    const { world, processes } = setUp();
    const process = processes[0] as Process;
    const queue = new WorkQueue(process);
    const at: number[] = [];
    // biome-ignore lint/correctness/useYield: workers are tasks
    runWorkers(process, 'test', queue, 1, function* () {
      at.push(Math.round((world.now - SECOND) / MILLISECOND));
      return at.length < 5 ? { message: 'no' } : undefined;
    });
    queue.add('a');
    world.run(2 * SECOND);
    expect(at.map((t, i) => t - (at[i - 1] ?? 0))).toEqual([0, 5, 10, 20, 40]);
    expect(queue.requeues('a')).toBe(0);
  });
});

describe('events', () => {
  it('counts repeated ones and drops what exceeds the burst', () => {
    const { world, processes, clients } = setUp();
    const process = processes[0] as Process;
    const client = clients[0] as Client;
    const recorder = new EventBroadcaster(client).recorder({ component: 'tester' });
    const subject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default', uid: 'u' } };
    for (let i = 0; i < 40; i++) recorder.event(subject, 'Normal', 'Tried', 'again');
    let events: readonly { readonly count?: number; readonly reason?: string }[] = [];
    process.after(5 * SECOND, () =>
      process.spawn('list', client.resource(EVENTS).list('default'), (list) => {
        if (list.ok) events = list.object.items;
      }),
    );
    world.run(10 * SECOND);
    expect(events.map((event) => [event.reason, event.count])).toEqual([['Tried', 25]]);
  });
});
