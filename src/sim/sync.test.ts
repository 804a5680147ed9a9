import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Process } from './process.ts';
import { all, Channel, Mutex, race, timeout } from './sync.ts';
import type { Task } from './task.ts';
import type { TaskRun } from './task-run.ts';
import { SECOND } from './time.ts';
import type { World } from './world.ts';
import { runProgram, testWorld } from './world.fixture.ts';

let world: World;
let process: Process;
let log: string[];

beforeEach(() => {
  const w = testWorld();
  world = w.world;
  process = runProgram(w.a);
  log = [];
  world.run(1000);
});

function* slept<T>(delayUs: number, value: T): Task<T> {
  try {
    yield* process.sleep(delayUs);
    return value;
  } finally {
    log.push(`end of ${String(value)}`);
  }
}

// biome-ignore lint/correctness/useYield: a task that never waits
function* atOnce<T>(value: T): Task<T> {
  return value;
}

/** Runs a task to its value. */
function run<T>(task: Task<T>, untilUs = 60 * SECOND): T | 'pending' {
  let out: T | 'pending' = 'pending';
  process.spawn('test', task, (value) => {
    out = value;
  });
  world.run(world.now + untilUs);
  return out;
}

describe('race', () => {
  it('answers with the first and cancels the others', () => {
    expect(run(race(process, [slept(3 * SECOND, 'slow'), slept(SECOND, 'fast'), slept(2 * SECOND, 'middle')]))).toEqual({
      index: 1,
      value: 'fast',
    });
    expect(log).toEqual(['end of fast', 'end of slow', 'end of middle']);
  });

  it('does not start the tasks after one that is done at once', () => {
    expect(run(race(process, [atOnce('now'), slept(SECOND, 'later')]))).toEqual({ index: 0, value: 'now' });
    expect(log).toEqual([]);
  });

  it('two that end in one instant: the first by order wins', () => {
    expect(run(race(process, [slept(SECOND, 'x'), slept(SECOND, 'y')]))).toMatchObject({ value: 'x' });
  });

  it('cancelled itself, it cancels all', () => {
    expect(run(timeout(process, SECOND, race(process, [slept(2 * SECOND, 'x'), slept(3 * SECOND, 'y')])))).toEqual({ timedOut: true });
    expect(log).toEqual(['end of x', 'end of y']);
  });
});

describe('all', () => {
  it('answers with all values in order, whatever order they come in', () => {
    expect(run(all(process, [slept(2 * SECOND, 'x'), atOnce('y'), slept(SECOND, 'z')]))).toEqual(['x', 'y', 'z']);
    expect(run(all(process, []))).toEqual([]);
    expect(run(all(process, [atOnce(1), atOnce(2)]))).toEqual([1, 2]);
  });

  it('cancelled, it cancels those that still run', () => {
    expect(run(timeout(process, SECOND, all(process, [slept(2 * SECOND, 'x'), atOnce('y')])))).toEqual({ timedOut: true });
    expect(log).toEqual(['end of x']);
  });
});

describe('timeout', () => {
  it('answers with the value in time, else cancels', () => {
    expect(run(timeout(process, SECOND, slept(SECOND / 2, 'x')))).toEqual({ timedOut: false, value: 'x' });
    expect(run(timeout(process, SECOND, atOnce('y')))).toEqual({ timedOut: false, value: 'y' });
    expect(run(timeout(process, SECOND, slept(2 * SECOND, 'z')))).toEqual({ timedOut: true });
    expect(log).toEqual(['end of x', 'end of z']);
  });

  it('runs on the clock of the host', () => {
    process.host.clock.addDrift(1_000_000);
    expect(run(timeout(process, SECOND, slept(SECOND, 'both twice as fast')))).toBeDefined();
    const before = world.now;
    let endedAt = 0;
    process.spawn('t', timeout(process, 2 * SECOND, new Channel<string>().receive()), () => {
      endedAt = world.now;
    });
    world.run(before + 5 * SECOND);
    expect(endedAt - before).toBeLessThan(1.1 * SECOND);
  });
});

describe('Channel', () => {
  const receiver = (channel: Channel<number>, name: string): TaskRun<number> =>
    process.spawn(name, channel.receive(), (value) => log.push(`${name} got ${value}`));

  it('keeps what nobody waits for, serves waiting receivers in the order in which they came', () => {
    const channel = new Channel<number>();
    channel.send(1);
    channel.send(2);
    expect(channel.length).toBe(2);
    for (const name of ['a', 'b', 'c', 'd']) receiver(channel, name);
    world.run(world.now + SECOND);
    channel.send(3);
    channel.send(4);
    world.run(world.now + SECOND);
    expect(log).toEqual(['a got 1', 'b got 2', 'c got 3', 'd got 4']);
  });

  it('a receiver that is cancelled while it waits takes nothing', () => {
    const channel = new Channel<number>();
    const a = receiver(channel, 'a');
    receiver(channel, 'b');
    world.run(world.now + SECOND);
    a.cancel();
    channel.send(1);
    world.run(world.now + SECOND);
    expect(log).toEqual(['b got 1']);
  });

  it('a receiver that is cancelled between being handed an item and running gives it to the next who waits', () => {
    const channel = new Channel<number>();
    const a = receiver(channel, 'a');
    receiver(channel, 'b');
    world.run(world.now + SECOND);
    const sendAndCancel = (): void => {
      channel.send(1);
      a.cancel();
    };
    process.deliver(1, 1000, sendAndCancel, undefined, undefined);
    world.run(world.now + SECOND);
    expect(log).toEqual(['b got 1']);
    expect(channel.length).toBe(0);
  });

  it('loses nothing and keeps the order, whoever is cancelled when', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('send' as const) }),
      fc.record({ do: fc.constant('receive' as const) }),
      fc.record({ do: fc.constant('cancel' as const), nth: fc.nat(10) }),
      fc.record({ do: fc.constant('wait' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const channel = new Channel<number>();
        const got: number[] = [];
        const runs: TaskRun<number>[] = [];
        let sent = 0;
        // Everything happens inside one long resume between two waits, so that hand-overs are cut short.
        for (const s of steps) {
          if (s.do === 'wait') world.run(world.now + SECOND);
          else if (s.do === 'send') process.deliver(1, 100, () => channel.send(sent++), undefined, undefined);
          else if (s.do === 'receive') runs.push(process.spawn('r', channel.receive(), (v) => got.push(v)));
          else process.deliver(1, 0, () => runs[s.nth]?.cancel(), undefined, undefined);
        }
        world.run(world.now + SECOND);
        while (got.length < sent) {
          const before = got.length;
          process.spawn('rest', channel.receive(), (v) => got.push(v));
          world.run(world.now + SECOND);
          if (got.length === before) break;
        }
        expect([...got].sort((x, y) => x - y)).toEqual(Array.from({ length: sent }, (_, i) => i));
      }),
      { seed: 6, numRuns: 150 },
    );
  });
});

describe('Mutex', () => {
  function* hold(mutex: Mutex, name: string, forUs: number): Task<void> {
    yield* mutex.with(function* () {
      log.push(`${name} in`);
      yield* process.sleep(forUs);
      log.push(`${name} out`);
    });
  }

  it('lets one in at a time, first come first served', () => {
    const mutex = new Mutex();
    for (const name of ['a', 'b', 'c']) process.spawn(name, hold(mutex, name, SECOND));
    world.run(world.now + 10 * SECOND);
    expect(log).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
  });

  it('is let go by a holder that is cancelled, and by a waiter that is cancelled when it was just granted', () => {
    const mutex = new Mutex();
    const a = process.spawn('a', hold(mutex, 'a', 10 * SECOND));
    const b = process.spawn('b', hold(mutex, 'b', SECOND));
    process.spawn('c', hold(mutex, 'c', SECOND));
    world.run(world.now + SECOND);
    const cancelBoth = (): void => {
      a.cancel(); // grants b, which has not run yet
      b.cancel();
    };
    process.deliver(1, 10, cancelBoth, undefined, undefined);
    world.run(world.now + 10 * SECOND);
    expect(log).toEqual(['a in', 'c in', 'c out']);
    process.spawn('d', hold(mutex, 'd', SECOND));
    world.run(world.now + 10 * SECOND);
    expect(log.at(-1)).toBe('d out');
  });
});
