import { describe, expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import type { Pod } from '../api/types.ts';
import { EVENTS, NODES, PODS } from '../client/resources.ts';
import { pod, testCluster } from './test-cluster.fixture.ts';

type TestCluster = ReturnType<typeof testCluster>;

function create(t: TestCluster, ...pods: Pod[]): void {
  t.script(function* () {
    for (const each of pods) {
      const made = yield* t.client.resource(PODS).create(each);
      expect(made.ok ? '' : made.message).toBe('');
    }
  });
}

function read(t: TestCluster, name: string): Pod | undefined {
  let found: Pod | undefined;
  t.script(function* () {
    const got = yield* t.client.resource(PODS).get('default', name);
    if (got.ok) found = got.object;
  });
  t.world.run(t.world.now + SECOND / 10);
  return found;
}

function remove(t: TestCluster, name: string, gracePeriodSeconds?: number): void {
  t.script(function* () {
    yield* t.client.resource(PODS).delete('default', name, gracePeriodSeconds === undefined ? {} : { options: { gracePeriodSeconds } });
  });
}

function runFor(t: TestCluster, seconds: number): void {
  t.world.run(t.world.now + seconds * SECOND);
}

function log(t: TestCluster): string[] {
  const lines: string[] = [];
  t.facts.containerStarted.subscribe((_node, key, _uid, container) => lines.push(`start ${key} ${container}`));
  t.facts.containerStopped.subscribe((_node, key, _uid, container, _id, code) => lines.push(`stop ${key} ${container} ${code}`));
  return lines;
}

const web = { name: 'c', image: 'nginx:1.29', readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 1 } };

describe('a pod on a node', () => {
  it('starts, gets ready, and goes through its phases when it is deleted', () => {
    const t = testCluster();
    const lines = log(t);
    create(t, pod('a', { containers: [web] }));
    runFor(t, 10);
    const running = read(t, 'a');
    expect(running?.status).toMatchObject({ phase: 'Running', podIP: '10.244.0.2', hostIP: '192.168.0.10' });
    expect(running?.status?.conditions?.map((condition) => `${condition.type} ${condition.status}`)).toEqual([
      'PodReadyToStartContainers True',
      'Initialized True',
      'Ready True',
      'ContainersReady True',
      'PodScheduled True',
    ]);
    remove(t, 'a');
    runFor(t, 5);
    expect(read(t, 'a')).toBeUndefined();
    expect(lines).toEqual(['start default/a c', 'stop default/a c 0']);
  });

  it('is restarted at once the first time and with a doubling back-off afterwards', () => {
    const t = testCluster();
    const starts: number[] = [];
    t.facts.containerStarted.subscribe(() => starts.push(t.world.now / SECOND));
    create(t, pod('a', { containers: [{ name: 'c', image: 'x:crash' }] }));
    runFor(t, 100);
    const gaps = starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
    expect(gaps[0]).toBeLessThan(3);
    expect(gaps[1]).toBeGreaterThan(11);
    expect(gaps[1]).toBeLessThan(19);
    expect(gaps[2]).toBeGreaterThan(21);
    expect(gaps[2]).toBeLessThan(33);
    expect(read(t, 'a')?.status?.containerStatuses?.[0]?.restartCount).toBe(starts.length - 1);
  });

  it('gets SIGKILL when it ignores SIGTERM beyond its grace period', () => {
    const t = testCluster();
    const lines = log(t);
    create(t, pod('a', { terminationGracePeriodSeconds: 4, containers: [web] }, { 'seatrial.dev/ignore-sigterm': 'true' }));
    runFor(t, 10);
    remove(t, 'a');
    runFor(t, 3);
    expect(lines).toEqual(['start default/a c']);
    runFor(t, 4);
    expect(lines).toEqual(['start default/a c', 'stop default/a c 137']);
    expect(read(t, 'a')).toBeUndefined();
  });

  it('is stopped within two seconds after a forced deletion', () => {
    const t = testCluster();
    const lines = log(t);
    create(t, pod('a', { containers: [web] }, { 'seatrial.dev/ignore-sigterm': 'true' }));
    runFor(t, 10);
    remove(t, 'a', 0);
    expect(read(t, 'a')).toBeUndefined();
    expect(lines).toHaveLength(1);
    runFor(t, 4);
    expect(lines[1]).toBe('stop default/a c 137');
  });

  it('runs init containers in order, then sidecars, then the main ones', () => {
    const t = testCluster();
    const lines = log(t);
    const init = (name: string) => ({ name, image: 'busybox', command: ['sleep', '1'] });
    create(
      t,
      pod('a', {
        initContainers: [init('one'), { name: 'side', image: 'envoy', restartPolicy: 'Always' }, init('two')],
        containers: [web],
      }),
    );
    runFor(t, 20);
    expect(lines).toEqual([
      'start default/a one',
      'stop default/a one 0',
      'start default/a side',
      'start default/a two',
      'stop default/a two 0',
      'start default/a c',
    ]);
    expect(read(t, 'a')?.status?.phase).toBe('Running');
  });

  it('says why its image cannot be pulled', () => {
    const t = testCluster();
    create(t, pod('a', { containers: [{ name: 'c', image: 'registry.invalid/x:1' }] }));
    runFor(t, 5);
    expect(read(t, 'a')?.status?.containerStatuses?.[0]?.state?.waiting?.reason).toMatch(/^(ErrImagePull|ImagePullBackOff)$/);
    expect(read(t, 'a')?.status?.phase).toBe('Pending');
  });

  it('is refused when the node has no room', () => {
    const t = testCluster();
    create(t, pod('a', { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '40' } } }] }));
    runFor(t, 12);
    expect(read(t, 'a')?.status).toMatchObject({ phase: 'Failed', reason: 'OutOfcpu' });
  });
});

describe('what survives what', () => {
  it('containers, their counts and readiness survive a restart of the kubelet', () => {
    const t = testCluster();
    create(t, pod('a', { containers: [web] }));
    runFor(t, 10);
    const lines = log(t);
    const before = read(t, 'a')?.status;
    t.world.host('worker-0').process('kubelet-worker-0')?.kill('test');
    runFor(t, 3);
    t.world.host('worker-0').start('kubelet-worker-0');
    runFor(t, 20);
    expect(lines).toEqual([]);
    expect(read(t, 'a')?.status).toEqual(before);
    remove(t, 'a');
    runFor(t, 5);
    expect(lines).toEqual(['stop default/a c 0']);
  });

  it('containers survive a restart of the runtime, and exits meanwhile are known afterwards', () => {
    const t = testCluster();
    create(
      t,
      pod('a', { containers: [web] }),
      pod('b', { restartPolicy: 'Never', containers: [{ name: 'c', image: 'busybox', command: ['sleep', '14'] }] }),
    );
    runFor(t, 10);
    const lines = log(t);
    t.world.host('worker-0').process('containerd-worker-0')?.kill('test');
    runFor(t, 10);
    t.world.host('worker-0').start('containerd-worker-0');
    runFor(t, 10);
    expect(lines).toEqual(['stop default/b c 0']);
    expect(read(t, 'a')?.status?.phase).toBe('Running');
    expect(read(t, 'b')?.status?.phase).toBe('Succeeded');
  });

  it('a crash of the host ends all containers; they start again with their counts', () => {
    const t = testCluster();
    create(t, pod('a', { containers: [web] }));
    runFor(t, 10);
    const lines = log(t);
    t.world.host('worker-0').crash();
    runFor(t, 5);
    t.world.host('worker-0').boot();
    runFor(t, 20);
    expect(lines).toEqual(['stop default/a c 137', 'start default/a c']);
    const status = read(t, 'a')?.status?.containerStatuses?.[0];
    expect(status).toMatchObject({ restartCount: 1, ready: true, lastState: { terminated: { exitCode: 255, reason: 'Unknown' } } });
  });

  it('pods deleted while the kubelet was away are ended when it is back', () => {
    const t = testCluster();
    create(t, pod('a', { containers: [web] }));
    runFor(t, 10);
    const lines = log(t);
    t.world.host('worker-0').process('kubelet-worker-0')?.kill('test');
    remove(t, 'a', 0);
    runFor(t, 3);
    expect(lines).toEqual([]);
    t.world.host('worker-0').start('kubelet-worker-0');
    runFor(t, 5);
    expect(lines).toEqual(['stop default/a c 0']);
  });
});

describe('the node', () => {
  it('registers, and says NotReady when its runtime is away for more than half a minute', () => {
    const t = testCluster();
    const ready = (): string | undefined => {
      let status: string | undefined;
      t.script(function* () {
        const got = yield* t.client.resource(NODES).get('', 'worker-0');
        if (got.ok) status = got.object.status?.conditions?.find((condition) => condition.type === 'Ready')?.status;
      });
      runFor(t, 0.1);
      return status;
    };
    expect(ready()).toBe('True');
    t.world.host('worker-0').process('containerd-worker-0')?.kill('test');
    runFor(t, 25);
    expect(ready()).toBe('True');
    runFor(t, 20);
    expect(ready()).toBe('False');
    t.world.host('worker-0').start('containerd-worker-0');
    runFor(t, 5);
    expect(ready()).toBe('True');
  });

  it('is quiet when nothing happens', () => {
    const t = testCluster();
    create(t, pod('a', { containers: [web] }));
    runFor(t, 30);
    const before = t.world.digest.events;
    runFor(t, 100);
    expect((t.world.digest.events - before) / 100).toBeLessThan(3);
  });

  it('tells events as the real kubelet words them', () => {
    const t = testCluster();
    create(t, pod('a', { containers: [{ name: 'c', image: 'redis:8' }] }));
    runFor(t, 10);
    const messages: string[] = [];
    t.script(function* () {
      const events = yield* t.client.resource(EVENTS).list('default');
      if (events.ok)
        for (const event of events.object.items)
          messages.push(`${event.reason} ${event.message}`.replace(/in \S+ \(\S+ including/, 'in <dur> (<dur> including'));
    });
    runFor(t, 1);
    expect(messages.sort()).toEqual([
      'Created Container created',
      expect.stringMatching(/^Pulled Successfully pulled image "redis:8" in <dur> \(<dur> including waiting\)\. Image size: \d+ bytes\.$/),
      'Pulling Pulling image "redis:8"',
      'Started Container started',
    ]);
  });
});
