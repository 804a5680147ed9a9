import { armCrash } from './armed-crash.ts';
import { crashable } from './crash-process.ts';
import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { hostOfProgram } from './topology.ts';

export interface CrashAtEffectParams extends FaultParams {
  readonly kind: 'crash-at-effect';
  readonly program: string;
  /** Sends, disk writes and replies from now on; the nth does not happen any more. */
  readonly effects: number;
  /** The whole host loses power instead of the one program dying. */
  readonly powerLoss: boolean;
}

const params = {
  program: { type: 'name', of: crashable },
  effects: { type: 'integer', min: 1, max: 400, unit: 'effects' },
  powerLoss: { type: 'boolean' },
} as const;

/** A crash between two effects: after the disk write and before the answer, between two sends of a broadcast. */
export const crashAtEffect: Fault<CrashAtEffectParams> = {
  kind: 'crash-at-effect',
  about: 'The program dies in front of its nth send, disk write or reply from now on; it is started again when healed.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<CrashAtEffectParams>('crash-at-effect', params, topology),
  describe: (p) => `crash ${p.program} at effect ${p.effects}${p.powerLoss ? ' with power loss' : ''}`,
  lanes: (p) => [p.program],
  inject: (target, p) => {
    const host = target.world.host(hostOfProgram(target.topology, p.program) ?? p.program);
    const process = host.process(p.program);
    const crash = process === undefined ? undefined : armCrash(target.world, host, process, process.effects + p.effects, p.powerLoss);
    return {
      heal: () => crash?.disarm(),
      touched: () => (crash?.fired() === true ? 1 : 0),
    };
  },
};
