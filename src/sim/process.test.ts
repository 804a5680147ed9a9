import { describe, expect, it } from 'vitest';
import type { Process } from './process.ts';
import { MILLISECOND, SECOND } from './time.ts';
import { runProgram, testWorld } from './world.fixture.ts';

const nothing = (): void => undefined;

/** A listener on c:1 that notes when what arrived. */
function sink(world: ReturnType<typeof testWorld>): { readonly got: [at: number, what: unknown][] } {
  const got: [number, unknown][] = [];
  runProgram(world.c, (process) => {
    world.world.network.listen(process, 'c', '1', { onDatagram: (payload) => got.push([world.world.now, payload]) });
  });
  return { got };
}

const send = (process: Process, payload: unknown): void =>
  process.world.network.send(process, process.world.network.endpoint('c', '1'), payload, 10);

describe('Process: the CPU', () => {
  it('runs at once when free; what arrives meanwhile queues; effects leave at now + cost', () => {
    const w = testWorld();
    const ran: [number, string, number][] = [];
    const process = runProgram(w.a);
    w.world.run(SECOND);
    w.world.at(2 * SECOND, () => {
      const note = (name: unknown): void => void ran.push([w.world.now, name as string, process.leaveAt]);
      process.deliver(1, 100, note, 'first', undefined);
      expect(ran).toEqual([[2 * SECOND, 'first', 2 * SECOND + 100]]);
      process.deliver(2, 50, note, 'second', undefined);
      process.deliver(3, 50, note, 'third', undefined);
      expect(ran.length).toBe(1);
    });
    w.world.run(3 * SECOND);
    expect(ran.slice(1)).toEqual([
      [2 * SECOND + 100, 'second', 2 * SECOND + 150],
      // In the same event, but its effects leave when its own cost is paid too.
      [2 * SECOND + 100, 'third', 2 * SECOND + 200],
    ]);
  });

  it('under priorities each piece of work has an event of its own, so that it competes with what arrives until its turn', () => {
    const w = testWorld({ tiePolicy: { kind: 'pct', jitterUs: 0, changeOneIn: 1000 } });
    const at: number[] = [];
    const process = runProgram(w.a);
    w.world.at(SECOND, () => {
      for (let i = 0; i < 3; i++) process.deliver(1, 50, () => at.push(w.world.now - SECOND), undefined, undefined);
    });
    w.world.run(2 * SECOND);
    expect(at).toEqual([0, 50, 100]);
  });

  it('work that makes more work without end is not hidden in one event', () => {
    const w = testWorld({ eventsPerInstantMax: 100 });
    const process = runProgram(w.a);
    const again = (): void => process.deliver(1, 0, again, undefined, undefined);
    w.world.at(SECOND, again);
    expect(w.world.run(2 * SECOND)).toMatchObject({ kind: 'livelock', culprit: process.label });
  });

  it('a process that dies runs nothing of what was queued', () => {
    const w = testWorld();
    const ran: string[] = [];
    const process = runProgram(w.a);
    w.world.at(SECOND, () => {
      const die = (): void => {
        process.deliver(1, 10, () => ran.push('later'), undefined, undefined);
        process.kill('test');
      };
      process.deliver(1, 10, die, undefined, undefined);
    });
    w.world.run(2 * SECOND);
    expect([process.state, ran]).toEqual(['dead', []]);
  });

  it('charge makes the resume longer: later sends and queued work are late by it', () => {
    const w = testWorld();
    const at: number[] = [];
    const process = runProgram(w.a);
    w.world.at(SECOND, () => {
      process.deliver(1, 10, () => process.charge(990), undefined, undefined);
      process.deliver(1, 10, () => at.push(w.world.now), undefined, undefined);
    });
    w.world.run(2 * SECOND);
    expect(at).toEqual([SECOND + 1000]);
  });

  it('a timer runs on the clock of its host and can be taken back', () => {
    const w = testWorld();
    w.a.clock.addDrift(1_000_000);
    const fired: [string, number][] = [];
    runProgram(w.a, (process) => {
      process.after(SECOND, () => fired.push(['kept', w.world.now]));
      process.cancel(process.after(SECOND, () => fired.push(['cancelled', w.world.now])));
    });
    w.world.run(2 * SECOND);
    expect(fired).toEqual([['kept', SECOND / 2]]);
  });

  it('maybe is no point under fifo and a point now and then under the others', () => {
    const steps = (kind: 'fifo' | 'jitter'): number => {
      const w = testWorld({ tiePolicy: kind === 'fifo' ? { kind } : { kind, jitterUs: 0 } });
      let suspensions = 0;
      const process = runProgram(w.a);
      for (let i = 0; i < 40; i++) {
        const task = process.maybe('site');
        if (!task.next().done) suspensions++;
      }
      return suspensions;
    };
    expect(steps('fifo')).toBe(0);
    expect(steps('jitter')).toBeGreaterThan(0);
    expect(steps('jitter')).toBeLessThan(40);
  });
});

describe('Process: death', () => {
  it('killed at effect n: n − 1 effects happen, the rest of the resume has none, no finally runs, timers are void', () => {
    const w = testWorld();
    const { got } = sink(w);
    const ran: string[] = [];
    const deaths: string[] = [];
    const process = runProgram(w.a);
    process.onDeath = (p, cause) => deaths.push(`${p.state}: ${cause}`);
    process.armKill(3);
    process.after(SECOND, () => {
      for (let i = 1; i <= 5; i++) send(process, i);
      expect(w.a.disk.append(process, 'file', 'x', 1)).toEqual({ ok: true });
      expect(process.state).toBe('zombie');
      process.after(1, () => ran.push('timer of a zombie'));
      ran.push('end of the resume');
    });
    process.spawn('waiting', wait(process, ran));
    w.world.run(10 * SECOND);
    expect(got.map(([, what]) => what)).toEqual([1, 2]);
    expect(ran).toEqual(['end of the resume']);
    expect(w.a.disk.read('file')).toBeUndefined();
    expect(deaths).toEqual(['dead: effect 3']);
    expect(w.a.process(process.name)).toBeUndefined();
    expect(process.effects).toBe(3);
  });

  function* wait(process: Process, ran: string[]) {
    try {
      yield* process.sleep(5 * SECOND);
      ran.push('slept');
    } finally {
      ran.push('finally');
    }
  }

  it('a zombie may trip over its discarded effects without anybody hearing of it', () => {
    const w = testWorld();
    const process = runProgram(w.a);
    process.armKill(1);
    process.after(0, () => {
      send(process, 1);
      throw new Error('what I wrote is not there');
    });
    w.world.run(SECOND);
    expect(process.state).toBe('dead');
  });

  it('killed from outside: drops queued work, frees its ports, and may be started again with a higher incarnation', () => {
    const w = testWorld();
    const ran: string[] = [];
    w.a.install({
      name: 'server',
      start: (process) => {
        w.world.network.listen(process, 'a', '1', { onDatagram: nothing });
        process.after(10, () => ran.push(`timer of incarnation ${process.incarnation}`));
      },
    });
    const first = w.a.process('server') as Process;
    first.deliver(1, 10, () => ran.push('queued'), undefined, undefined);
    first.kill('test');
    first.kill('twice is harmless');
    expect(w.a.start('server')?.incarnation).toBe(2);
    w.world.run(SECOND);
    expect(ran).toEqual(['timer of incarnation 2']);
  });

  it('exit ends it in an orderly way and the supervisor starts it again after its delay; a kill does not', () => {
    const w = testWorld();
    const starts: number[] = [];
    w.a.install({
      name: 'flaky',
      restartAfterUs: 10 * SECOND,
      start: (process) => {
        starts.push(w.world.now);
        if (starts.length < 3) process.after(SECOND, () => process.exit(1, 'panic'));
      },
    });
    w.world.run(60 * SECOND);
    expect(starts.map((at) => Math.floor(at / SECOND))).toEqual([0, 11, 22]);
    w.a.process('flaky')?.kill('test');
    w.world.run(120 * SECOND);
    expect(starts.length).toBe(3);
  });

  it('exits also in the resume in which it is stopped', () => {
    const w = testWorld();
    const process = runProgram(w.a, (p) => {
      p.after(1, () => {
        p.pause();
        p.exit(1, 'panic');
      });
    });
    w.world.run(SECOND);
    expect(process.state).toBe('dead');
  });

  it('an error that is neither exit nor of a zombie is our bug and comes out of the run', () => {
    const w = testWorld();
    runProgram(w.a, (process) => {
      process.after(1, () => {
        throw new TypeError('bug');
      });
    });
    expect(() => w.world.run(SECOND)).toThrow('bug');
  });
});

describe('Process: pause', () => {
  it('stands still until as many resumes as pauses, then gets all that waited in order, and counts the time', () => {
    const w = testWorld();
    const got: [string, number][] = [];
    const states: string[] = [];
    const process = runProgram(w.a);
    process.onStateChange = (p) => states.push(p.state);
    process.after(2 * SECOND, () => got.push(['timer', w.world.now]));
    w.world.at(SECOND, () => process.pause());
    w.world.at(SECOND, () => process.pause());
    w.world.at(3 * SECOND, () => process.deliver(1, 10, () => got.push(['message', w.world.now]), undefined, undefined));
    w.world.at(4 * SECOND, () => process.resume());
    w.world.at(5 * SECOND, () => process.resume());
    w.world.at(6 * SECOND, () => process.resume());
    w.world.run(10 * SECOND);
    expect(got.map(([what]) => what)).toEqual(['timer', 'message']);
    expect(got[0]?.[1]).toBe(5 * SECOND);
    expect(process.pausedUs).toBe(4 * SECOND);
    expect(states).toEqual(['paused', 'running']);
  });

  it('can be killed while it stands', () => {
    const w = testWorld();
    const process = runProgram(w.a);
    process.pause();
    process.kill('test');
    process.resume();
    expect(process.state).toBe('dead');
    w.world.run(MILLISECOND);
  });
});
