import { describe, expect, it } from 'vitest';
import type { Process } from './process.ts';
import { SECOND } from './time.ts';
import { runProgram, testWorld } from './world.fixture.ts';

describe('Host', () => {
  it('crash: every process is gone without a word, no finally runs; boot: what starts at boot starts in name order', () => {
    const w = testWorld();
    const said: string[] = [];
    const install = (name: string, manual: boolean): void =>
      w.a.install({ name, manual, start: (process) => void said.push(`${name} ${process.incarnation}`) });
    install('zeta', false);
    install('alpha', false);
    install('container', true);
    expect(said).toEqual(['zeta 1', 'alpha 1']);
    w.a.start('container');
    const container = w.a.process('container') as Process;
    const causes: string[] = [];
    container.onDeath = (_, cause) => causes.push(cause);
    w.a.crash();
    w.a.crash();
    expect(causes).toEqual(['host down']);
    expect(w.a.processes()).toEqual([]);
    expect(w.a.start('alpha')).toBeUndefined();
    said.length = 0;
    w.a.boot();
    w.a.boot();
    expect(said).toEqual(['alpha 2', 'zeta 2']);
    expect(w.a.boots).toBe(1);
  });

  it('a program started on a paused host does not run before the host goes on', () => {
    const w = testWorld();
    const ran: number[] = [];
    w.a.pause();
    runProgram(w.a, () => ran.push(w.world.now));
    w.world.run(SECOND);
    expect(ran).toEqual([]);
    w.a.resume();
    w.world.run(2 * SECOND);
    expect(ran).toEqual([SECOND]);
  });

  it('refuses duplicate and unknown programs by name', () => {
    const w = testWorld();
    w.a.install({ name: 'x', start: () => undefined });
    expect(() => w.a.install({ name: 'x', start: () => undefined })).toThrow(/x is installed twice/);
    expect(() => w.a.start('y')).toThrow(/no program y; installed: x/);
    expect(() => w.a.uninstall('x')).toThrow(/while it runs/);
    expect(() => w.world.addHost({ name: 'a', zone: 'z' })).toThrow(/added twice/);
    expect(() => w.world.host('nope')).toThrow(/hosts: a, b, c/);
  });

  it('does not restart a program that a crash took, nor on a host that is down', () => {
    const w = testWorld();
    let starts = 0;
    w.a.install({
      name: 'x',
      restartAfterUs: SECOND,
      start: (process) => {
        starts++;
        process.after(SECOND, () => process.exit(0, 'done'));
      },
    });
    w.world.run(1.5 * SECOND);
    w.a.crash();
    w.world.run(10 * SECOND);
    expect(starts).toBe(1);
    w.a.boot();
    expect(starts).toBe(2);
  });
});
