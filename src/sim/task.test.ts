import { describe, expect, it } from 'vitest';
import type { Process } from './process.ts';
import { runToEnd, suspend, type Task } from './task.ts';
import { SECOND } from './time.ts';
import { runProgram, testWorld } from './world.fixture.ts';

describe('runToEnd', () => {
  it('runs a task whose waits are answered at once, throws what they reject, and refuses to wait', () => {
    function* sum(): Task<number> {
      const one = yield* suspend<number>((resolve) => resolve(1));
      try {
        yield* suspend((_, reject) => reject(new Error('no')));
      } catch (error) {
        return one + (error as Error).message.length;
      }
      return 0;
    }
    expect(runToEnd(sum())).toBe(3);
    expect(() => runToEnd(suspend(() => undefined))).toThrow(/run it in a simulated process/);
  });
});

describe('TaskRun', () => {
  const setup = (): { w: ReturnType<typeof testWorld>; process: Process; log: string[] } => {
    const w = testWorld();
    return { w, process: runProgram(w.a), log: [] };
  };

  it('each answer resumes it through the CPU of its process, and its value reaches onDone', () => {
    const { w, process, log } = setup();
    function* body(): Task<string> {
      yield* process.sleep(SECOND);
      log.push(`first ${process.leaveAt}`);
      yield* process.sleep(SECOND);
      log.push(`second ${process.leaveAt}`);
      return 'value';
    }
    const run = process.spawn('t', body(), (value) => log.push(`done ${value}`));
    w.world.run(SECOND);
    expect(run.done).toBe(false);
    w.world.run(3 * SECOND);
    expect(run.done).toBe(true);
    // The task starts with the program's own start (10 µs, then 10 of its own); a sleep costs the resume of its timer and that of the task.
    expect(log).toEqual([`first ${SECOND + 30}`, `second ${2 * SECOND + 30}`, 'done value']);
  });

  it('a rejected wait is thrown inside the task', () => {
    const { w, process, log } = setup();
    let reject: (error: unknown) => void = () => undefined;
    function* body(): Task<void> {
      try {
        yield* suspend((_, no) => {
          reject = no;
        });
      } catch (error) {
        log.push((error as Error).message);
      }
    }
    process.spawn('t', body());
    w.world.at(SECOND, () => reject(new Error('lost')));
    w.world.run(2 * SECOND);
    expect(log).toEqual(['lost']);
  });

  it('a second answer to the same wait is ignored', () => {
    const { w, process, log } = setup();
    let resolve: (value: string) => void = () => undefined;
    function* body(): Task<void> {
      log.push(
        yield* suspend<string>((yes) => {
          resolve = yes;
        }),
      );
      yield* process.sleep(SECOND);
      log.push('end');
    }
    process.spawn('t', body());
    w.world.at(SECOND, () => {
      resolve('one');
      resolve('two');
    });
    w.world.at(1.5 * SECOND, () => resolve('three'));
    w.world.run(3 * SECOND);
    expect(log).toEqual(['one', 'end']);
  });

  it('cancel stops what it waits for and runs its finally blocks, innermost first', () => {
    const { w, process, log } = setup();
    function* inner(): Task<void> {
      try {
        yield* suspend(() => () => log.push('wait given up'));
      } finally {
        log.push('inner');
      }
    }
    function* outer(): Task<void> {
      try {
        yield* inner();
      } finally {
        log.push('outer');
      }
    }
    const run = process.spawn('t', outer(), () => log.push('done'));
    w.world.run(SECOND);
    run.cancel();
    run.cancel();
    w.world.run(2 * SECOND);
    expect(log).toEqual(['wait given up', 'inner', 'outer']);
  });

  it('a task that cancels itself ends at its next wait, which never starts', () => {
    const { w, process, log } = setup();
    const runs: { cancel(): void }[] = [];
    function* body(): Task<void> {
      try {
        yield* process.sleep(1);
        runs[0]?.cancel();
        log.push('goes on to its next wait');
        yield* suspend(() => void log.push('started a wait'));
        log.push('never');
      } finally {
        log.push('finally');
      }
    }
    runs.push(process.spawn('t', body()));
    w.world.run(SECOND);
    expect(log).toEqual(['goes on to its next wait', 'finally']);
  });

  it('the death of the process runs nothing of its tasks', () => {
    const { w, process, log } = setup();
    function* body(): Task<void> {
      try {
        yield* process.sleep(SECOND);
        log.push('slept');
      } finally {
        log.push('finally');
      }
    }
    process.spawn('t', body());
    w.world.run(1000);
    process.kill('test');
    w.world.run(3 * SECOND);
    expect(log).toEqual([]);
  });

  it('a task that never lets time pass is stopped and named', () => {
    const { w, process } = setup();
    function* body(): Task<void> {
      for (;;) yield* suspend<void>((resolve) => resolve());
    }
    w.world.run(1000);
    process.after(1, () => void process.spawn('spinner', body()));
    expect(() => w.world.run(SECOND)).toThrow(/spinner of program-\d+@a/);
  });
});
