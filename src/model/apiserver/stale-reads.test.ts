import { describe, expect, it } from 'vitest';
import { VirtualWorld } from '../../harness/conformance/api/virtual-world.ts';
import type { Cancel, Task } from '../../sim/task.ts';
import type { Status, UntypedObject } from '../api/object.ts';
import type { ApiRequest, ApiResponse, RequestOptions, WatchEvent } from '../api/request.ts';
import { ApiServerCore } from './core.ts';
import { MemoryStorage } from './memory-storage.ts';
import type { Storage, StorageEvent, StorageFailure, StorageWatchSink } from './storage.ts';

/** Memory storage whose watch events wait while `held`, and which fails on demand. */
class SlowStorage implements Storage {
  private readonly memory = new MemoryStorage();
  private readonly waiting: (() => void)[] = [];
  private readonly sinks = new Set<StorageWatchSink>();
  held = false;
  failure: StorageFailure | undefined;

  readonly get = this.memory.get.bind(this.memory);
  readonly list = this.memory.list.bind(this.memory);
  readonly currentRevision = this.memory.currentRevision.bind(this.memory);
  readonly requestProgress = (): void => this.memory.requestProgress();
  readonly compact = (): void => this.memory.compact();

  *create(...args: Parameters<Storage['create']>): ReturnType<Storage['create']> {
    return this.failure ?? (yield* this.memory.create(args[0], args[1]));
  }

  *compareAndPut(...args: Parameters<Storage['compareAndPut']>): ReturnType<Storage['compareAndPut']> {
    return this.failure ?? (yield* this.memory.compareAndPut(args[0], args[1], args[2]));
  }

  *compareAndDelete(...args: Parameters<Storage['compareAndDelete']>): ReturnType<Storage['compareAndDelete']> {
    return this.failure ?? (yield* this.memory.compareAndDelete(...args));
  }

  watch(prefix: string, fromRevision: number, sink: StorageWatchSink): Cancel {
    const later = (call: () => void): void => {
      if (this.held) this.waiting.push(call);
      else call();
    };
    const slow: StorageWatchSink = {
      events: (events: readonly StorageEvent[], revision) => later(() => sink.events(events, revision)),
      progress: (revision) => later(() => sink.progress(revision)),
      closed: (why) => later(() => sink.closed(why)),
    };
    this.sinks.add(slow);
    const cancel = this.memory.watch(prefix, fromRevision, slow);
    return () => {
      this.sinks.delete(slow);
      cancel();
    };
  }

  release(): void {
    this.held = false;
    for (const call of this.waiting.splice(0)) call();
  }

  /** Breaks every open watch. */
  cut(why: StorageFailure): void {
    for (const sink of [...this.sinks]) sink.closed(why);
  }
}

interface Bench {
  readonly storage: SlowStorage;
  readonly world: VirtualWorld;
  readonly call: (verb: ApiRequest['verb'], extra?: Partial<ApiRequest>) => ApiResponse;
  readonly start: (task: Task<ApiResponse>) => { answer: ApiResponse | undefined };
  readonly core: ApiServerCore;
}

const request = (verb: ApiRequest['verb'], extra: Partial<ApiRequest> = {}): ApiRequest => ({
  verb,
  group: '',
  version: 'v1',
  resource: 'configmaps',
  namespace: 'default',
  user: { name: 'admin', groups: ['system:masters'] },
  ...extra,
});

function bench(): Bench {
  const storage = new SlowStorage();
  const world = new VirtualWorld(1_767_225_600_000_000);
  const core = new ApiServerCore({ storage, environment: world.environment });
  const start = (task: Task<ApiResponse>): { answer: ApiResponse | undefined } => {
    const running: { answer: ApiResponse | undefined } = { answer: undefined };
    world.environment.spawn(
      (function* (): Task<void> {
        running.answer = yield* task;
      })(),
    );
    return running;
  };
  return { storage, world, core, start, call: (verb, extra) => world.run(core.handle(request(verb, extra))) };
}

const configMap = (name: string, v = '1'): UntypedObject =>
  ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { v } }) as UntypedObject;
const names = (answer: ApiResponse): readonly string[] =>
  (answer.object as unknown as { items: readonly UntypedObject[] }).items.map((item) => item.metadata.name ?? '');
const listOf = (options: RequestOptions): Partial<ApiRequest> => ({ options });

describe('reads of a server whose watch cache lags', () => {
  it('at version 0 are old, while a get without version and a consistent list are not', () => {
    const { storage, world, core, call, start } = bench();
    call('create', { object: configMap('a') });
    expect(names(call('list', listOf({ resourceVersion: '0' })))).toEqual(['a']);
    storage.held = true;
    call('create', { object: configMap('b') });
    expect(names(call('list', listOf({ resourceVersion: '0' })))).toEqual(['a']);
    expect(call('get', { name: 'b', options: { resourceVersion: '0' } }).code).toBe(404);
    expect(call('get', { name: 'b' }).code).toBe(200);
    const list = start(core.handle(request('list')));
    expect(list.answer).toBeUndefined();
    world.advance(50_000);
    storage.release();
    world.advance(200_000);
    expect(list.answer === undefined ? undefined : names(list.answer)).toEqual(['a', 'b']);
  });

  it('not older than a version that the cache does not reach are refused after three seconds', () => {
    const { storage, world, core, call, start } = bench();
    const created = call('create', { object: configMap('a') }).object as UntypedObject;
    call('list', listOf({ resourceVersion: '0' }));
    storage.held = true;
    const later = call('create', { object: configMap('b') }).object as UntypedObject;
    expect(Number(later.metadata.resourceVersion)).toBeGreaterThan(Number(created.metadata.resourceVersion));
    const get = start(core.handle(request('get', { name: 'b', options: { resourceVersion: later.metadata.resourceVersion ?? '' } })));
    world.advance(2_900_000);
    expect(get.answer).toBeUndefined();
    world.advance(200_000);
    expect(get.answer?.object).toMatchObject({ reason: 'Timeout', code: 504 });
  });

  it('updates start from the old state, and are right all the same', () => {
    const { storage, call } = bench();
    call('create', { object: configMap('a') });
    call('list', listOf({ resourceVersion: '0' }));
    storage.held = true;
    call('update', { name: 'a', object: configMap('a', '2') });
    const patched = call('patch', { name: 'a', patchType: 'merge', patch: { data: { w: '3' } } });
    expect((patched.object as UntypedObject)['data']).toEqual({ v: '2', w: '3' });
  });

  it('a watch that etcd breaks off is taken up again, and clients lose nothing', () => {
    const { storage, world, core, call } = bench();
    call('create', { object: configMap('a') });
    const events: WatchEvent[] = [];
    let closed = 0;
    world.run(
      core.watch(request('watch', listOf({ resourceVersion: '0' })), { send: (event) => events.push(event), closed: () => closed++ }),
    );
    storage.cut({ failure: 'unavailable' });
    call('create', { object: configMap('b') });
    world.advance(5_000_000);
    const seen = events.map((event) => `${event.type} ${(event.object as UntypedObject).metadata?.name}`);
    // Upstream ends the watches of a cache that starts over; the client lists again then.
    if (closed === 0) expect(seen).toEqual(['ADDED a', 'ADDED b']);
    else expect(names(call('list', listOf({ resourceVersion: '0' })))).toEqual(['a', 'b']);
  });
});

describe('failures of etcd become the answers of a real server', () => {
  it.each([
    ['timeout', 'etcdserver: request timed out'],
    ['no-leader', 'etcdserver: no leader'],
    ['leader-changed', 'etcdserver: leader changed'],
    ['no-space', 'etcdserver: mvcc: database space exceeded'],
    ['request-too-large', 'etcdserver: request is too large'],
  ] as const)('%s', (failure, message) => {
    const { storage, call } = bench();
    storage.failure = { failure };
    const answer = call('create', { object: configMap('a') });
    expect(answer.code).toBe(500);
    expect((answer.object as Status).message).toBe(message);
  });
});
