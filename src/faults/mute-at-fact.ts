import { type ArmedCrash, armCrash } from './armed-crash.ts';
import { CRASH_FACTS, factChannel, etcdMembers, MORE_FACTS } from './crash-at-fact.ts';
import type { ActiveFault, Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { cut } from './partition.ts';
import { clusterHosts, hostOfProgram } from './topology.ts';

export interface MuteAtFactParams extends FaultParams {
  readonly kind: 'mute-at-fact';
  readonly program: string;
  readonly fact: string;
  /** The nth fact of that kind of this program from now on. */
  readonly nth: number;
  /** It then dies in front of this many effects later, and is started again when healed; 0: it lives on, unheard. */
  readonly diesAfterEffects: number;
}

const params = {
  program: { type: 'name', of: etcdMembers },
  fact: { type: 'name', of: () => CRASH_FACTS, also: () => MORE_FACTS },
  nth: { type: 'integer', min: 1, max: 3, unit: 'facts' },
  diesAfterEffects: { type: 'integer', min: 0, max: 30, unit: 'effects' },
} as const;

/** A one-way cut at a telling moment: as a member is elected, or as it commits, nobody hears it any more. */
export const muteAtFact: Fault<MuteAtFactParams> = {
  kind: 'mute-at-fact',
  about:
    'From its nth vote, election, append or commit on nobody hears the host of the etcd member, messages in flight included; it still hears the others. It may die a few effects later.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<MuteAtFactParams>('mute-at-fact', params, topology),
  describe: (p) => `mute ${p.program} at ${p.fact} ${p.nth}${p.diesAfterEffects > 0 ? `, dies ${p.diesAfterEffects} effects later` : ''}`,
  lanes: (p) => [p.program],
  inject: (target, p) => {
    const host = target.world.host(hostOfProgram(target.topology, p.program) ?? p.program);
    const others = clusterHosts(target.topology).filter((name) => name !== host.name);
    let crash: ArmedCrash | undefined;
    let waiting = true;
    let seen = 0;
    let active: ActiveFault | undefined;
    factChannel(target.facts, p.fact).subscribe((member) => {
      if (!waiting || member !== p.program || ++seen < p.nth) return;
      waiting = false;
      active = cut(target.world, others, [host.name], true);
      const process = host.process(p.program);
      if (p.diesAfterEffects > 0 && process !== undefined)
        crash = armCrash(target.world, host, process, process.effects + p.diesAfterEffects, false);
    });
    return {
      heal: () => {
        waiting = false;
        active?.heal();
        crash?.disarm();
      },
      touched: () => (active?.touched() ?? 0) + (crash?.fired() === true ? 1 : 0),
    };
  },
};
