import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Disk } from './disk.ts';
import type { Process } from './process.ts';
import type { Task } from './task.ts';
import { MILLISECOND, SECOND } from './time.ts';
import { runProgram, type TestWorld, testWorld } from './world.fixture.ts';

let w: TestWorld;
let process: Process;
let disk: Disk;

function setUp(seed = 'test'): void {
  w = testWorld({ seed });
  process = runProgram(w.a);
  disk = w.a.disk;
  w.world.run(1000);
}
beforeEach(() => setUp());

const values = (name: string): unknown[] | undefined => disk.read(name)?.map((r) => (r.torn ? `torn ${r.value}` : r.value));
const append = (name: string, ...what: unknown[]): void => what.forEach((value) => void disk.append(process, name, value, 10));
/** Starts a sync; the answer tells when it came back. */
function fsync(name: string): { at: number | undefined } {
  const done: { at: number | undefined } = { at: undefined };
  disk.fsyncThen(process, name, () => {
    done.at = w.world.now;
  });
  return done;
}
const forSeconds = (seconds: number): void => void w.world.run(w.world.now + seconds * SECOND);
function run<T>(task: Task<T>): T | undefined {
  let out: T | undefined;
  process.spawn('t', task, (value) => {
    out = value;
  });
  forSeconds(5);
  return out;
}

describe('durability', () => {
  it('a process that dies loses nothing, synced or not', () => {
    append('log', 1, 2);
    process.kill('test');
    expect(values('log')).toEqual([1, 2]);
  });

  it('a power loss keeps what was synced and some prefix of the rest, whose last record may be torn', () => {
    const outcomes = new Set<string>();
    for (let i = 0; i < 120; i++) {
      setUp(`crash ${i}`);
      append('log', 1, 2);
      const done = fsync('log');
      forSeconds(1);
      expect(done.at).toBeDefined();
      append('log', 3, 4);
      w.a.crash();
      outcomes.add(String(values('log')));
    }
    expect([...outcomes].sort()).toEqual(['1,2', '1,2,3', '1,2,3,4', '1,2,3,torn 4', '1,2,torn 3']);
    expect(disk.touched.lostRecords + disk.touched.tornRecords).toBeGreaterThanOrEqual(0);
  });

  it('a sync covers what was appended before it began, and a crash before it ends voids it and its answer', () => {
    const kept = new Set<number>();
    for (let i = 0; i < 60; i++) {
      setUp(`early ${i}`);
      append('log', 1);
      const done = fsync('log');
      append('log', 2);
      if (i % 2 === 0) {
        forSeconds(1);
        w.a.crash();
        expect(values('log')?.[0]).toBe(1);
      } else {
        w.a.crash();
        w.a.boot();
        forSeconds(1);
        expect(done.at).toBeUndefined();
        kept.add(disk.read('log')?.length ?? 0);
      }
    }
    expect([...kept].sort()).toEqual([0, 1, 2]);
  });

  it('a sync answers a process that lives, and makes its data durable even if it died', () => {
    append('log', 1, 2);
    const done = fsync('log');
    process.kill('test');
    forSeconds(1);
    expect(done.at).toBeUndefined();
    w.a.crash();
    expect(values('log')).toEqual([1, 2]);
  });

  it('replace leaves the old or the new content, never a mixture, and is durable when it answers', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 40; i++) {
      setUp(`replace ${i}`);
      expect(run(disk.replace(process, 'file', 'old', 10))).toEqual({ ok: true });
      let answered = false;
      process.spawn('t', disk.replace(process, 'file', 'new', 10), () => {
        answered = true;
      });
      w.world.run(w.world.now + 100 * i);
      w.a.crash();
      const content = String(values('file'));
      seen.add(content);
      if (answered) expect(content).toBe('new');
    }
    expect([...seen].sort()).toEqual(['new', 'old']);
  });

  it('an unsynced truncation may come back, whole, after a crash; a synced one may not', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 60; i++) {
      setUp(`truncate ${i}`);
      append('log', 1, 2, 3);
      fsync('log');
      forSeconds(1);
      disk.truncate(process, 'log', 1);
      append('log', 'x');
      if (i % 3 === 0) {
        fsync('log');
        forSeconds(1);
        w.a.crash();
        expect(values('log')).toEqual([1, 'x']);
      } else {
        w.a.crash();
        seen.add(String(values('log')));
      }
    }
    expect([...seen].sort()).toEqual(['1', '1,2,3', '1,torn x', '1,x']);
  });

  it('what a sync made durable stays so although the file was truncated behind it meanwhile', () => {
    for (let i = 0; i < 40; i++) {
      setUp(`sync and truncate ${i}`);
      append('log', 1, 2, 3);
      const done = fsync('log');
      if (i % 2 === 0) disk.truncate(process, 'log', 2);
      else disk.truncate(process, 'log', 3); // cuts nothing off
      forSeconds(1);
      expect(done.at).toBeDefined();
      w.a.crash();
      expect(values('log')?.slice(0, 2)).toEqual([1, 2]);
      if (i % 2 === 1) expect(values('log')).toEqual([1, 2, 3]);
    }
  });

  it('keeps, whatever is written and synced, what the last finished sync covered', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.constantFrom('append', 'sync', 'wait'), { maxLength: 30 }), (seed, steps) => {
        setUp(seed);
        let n = 0;
        let covered = 0;
        for (const step of steps) {
          if (step === 'append') append('log', n++);
          else if (step === 'wait') w.world.run(w.world.now + 700);
          else {
            const upTo = n;
            disk.fsyncThen(process, 'log', () => {
              covered = Math.max(covered, upTo);
            });
          }
        }
        const before = covered;
        w.a.crash();
        const left = values('log') ?? [];
        expect(left.length).toBeGreaterThanOrEqual(before);
        expect(left.slice(0, before)).toEqual(Array.from({ length: before }, (_, i) => i));
      }),
      { seed: 8, numRuns: 200 },
    );
  });
});

describe('faults', () => {
  it('a stalled sync comes back when all stalls are over, in order; a slow one takes so many times longer', () => {
    disk.stall();
    disk.stall();
    append('log', 1);
    const first = fsync('log');
    const second = fsync('log');
    forSeconds(10);
    disk.unstall();
    forSeconds(10);
    expect(first.at).toBeUndefined();
    disk.unstall();
    const at = w.world.now;
    forSeconds(1);
    expect(at < (first.at ?? 0) && (first.at ?? 0) < (second.at ?? 0)).toBe(true);
    expect(disk.touched.stalledSyncs).toBe(2);
    disk.slowDown(100);
    disk.slowDown(2);
    const slow = fsync('log');
    const from = w.world.now;
    forSeconds(10);
    expect((slow.at ?? 0) - from).toBeGreaterThanOrEqual(200 * 600);
    disk.speedUp(100);
    disk.speedUp(2);
    const quick = fsync('log');
    const again = w.world.now;
    forSeconds(1);
    expect((quick.at ?? 0) - again).toBeLessThan(12 * MILLISECOND);
    expect(disk.touched.slowSyncs).toBe(1);
  });

  it('a full disk refuses writes until all that filled it is gone, and loses nothing that it has', () => {
    append('log', 1);
    disk.fill();
    disk.fill();
    expect(disk.append(process, 'log', 2, 10)).toEqual({ ok: false, error: 'no-space' });
    expect(run(disk.replace(process, 'file', 'x', 10))).toEqual({ ok: false, error: 'no-space' });
    disk.free();
    expect(disk.append(process, 'log', 2, 10).ok).toBe(false);
    disk.free();
    expect(disk.append(process, 'log', 3, 10)).toEqual({ ok: true });
    expect(values('log')).toEqual([1, 3]);
    expect(disk.touched.refusedWrites).toBe(3);
  });

  it('a lying disk answers a sync and loses the data all the same', () => {
    let lost = 0;
    for (let i = 0; i < 20; i++) {
      setUp(`lie ${i}`);
      disk.setLying(true);
      append('log', 1, 2);
      const done = fsync('log');
      forSeconds(1);
      expect(done.at).toBeDefined();
      w.a.crash();
      if ((disk.read('log')?.length ?? 0) < 2) lost++;
    }
    expect(lost).toBeGreaterThan(0);
    expect(disk.touched.liedSyncs).toBe(1);
  });

  it('a record rots in place; a wiped disk is empty; used bytes follow', () => {
    append('log', 1, 2);
    expect(disk.usedBytes).toBe(20);
    expect(disk.rot('log', 1)).toBe(true);
    expect(disk.rot('log', 9)).toBe(false);
    expect(disk.read('log')?.map((r) => r.rotten === true)).toEqual([false, true]);
    disk.truncate(process, 'log', 1);
    expect(disk.usedBytes).toBe(10);
    append('other', 3);
    expect(disk.list('')).toEqual(['log', 'other']);
    disk.remove(process, 'log');
    expect(disk.usedBytes).toBe(10);
    disk.wipe();
    expect([disk.list(''), disk.usedBytes]).toEqual([[], 0]);
  });
});
