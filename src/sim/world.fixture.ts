import type { Host } from './host.ts';
import type { Process } from './process.ts';
import { World, type WorldOptions } from './world.ts';

/** A small world for tests: hosts a, b and c in three zones, and a way to run code as a program. */
export interface TestWorld {
  readonly world: World;
  readonly a: Host;
  readonly b: Host;
  readonly c: Host;
}

export function testWorld(options: Partial<WorldOptions> = {}): TestWorld {
  const world = new World({ seed: 'test', ...options });
  const [a, b, c] = ['a', 'b', 'c'].map((name) => world.addHost({ name, zone: `zone-${name}` })) as [Host, Host, Host];
  return { world, a, b, c };
}

let programs = 0;

/** Runs `start` as a program of the host and answers its process, which is idle again once the world has run a moment. */
export function runProgram(host: Host, start: (process: Process) => void = () => undefined): Process {
  const name = `program-${++programs}`;
  host.install({ name, start });
  const process = host.process(name);
  if (process === undefined) throw new Error(`${name} ended in its first resume`);
  return process;
}
