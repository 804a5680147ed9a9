import { crashable } from './crash-process.ts';
import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { hostOfProgram } from './topology.ts';

export interface PauseProcessParams extends FaultParams {
  readonly kind: 'pause-process';
  readonly program: string;
}

const params = { program: { type: 'name', of: crashable } } as const;

/** SIGSTOP until healed: a long garbage collection, a debugger, a starved container. */
export const pauseProcess: Fault<PauseProcessParams> = {
  kind: 'pause-process',
  about: 'The program stands still: messages and timers wait and come all at once when it goes on.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<PauseProcessParams>('pause-process', params, topology),
  describe: (p) => `pause ${p.program}`,
  lanes: (p) => [p.program],
  inject: (target, p) => {
    const host = target.world.host(hostOfProgram(target.topology, p.program) ?? p.program);
    const process = host.process(p.program);
    process?.pause();
    return { heal: () => process?.resume(), touched: () => (process === undefined ? 0 : 1) };
  },
};
