import type { FactChannel, Facts, FactValue } from '../model/facts.ts';
import { type ArmedCrash, armCrash } from './armed-crash.ts';
import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { hostOfProgram, programNames, type Topology } from './topology.ts';

export interface CrashAtFactParams extends FaultParams {
  readonly kind: 'crash-at-fact';
  readonly program: string;
  readonly fact: string;
  /** The nth fact of that kind of this program from now on. */
  readonly nth: number;
  /** Sends, disk writes and replies that still happen after it. */
  readonly effectsAfter: number;
  readonly powerLoss: boolean;
}

/** Moments in the life of an etcd member at which a crash is telling. All their facts name the member first. */
export const CRASH_FACTS = ['raftVote', 'raftLeader', 'raftAppend', 'raftCommit', 'raftRole', 'raftSnapshot'] as const;

/** Moments that only a scenario with changes of members has; given by name, never drawn. */
export const MORE_FACTS = ['raftConfig', 'raftSnapshotSaved'] as const;

/** Programs whose facts such faults can wait for. */
export function etcdMembers(topology: Topology): readonly string[] {
  return programNames(topology, 'etcd-');
}

const params = {
  program: { type: 'name', of: etcdMembers },
  fact: { type: 'name', of: () => CRASH_FACTS, also: () => MORE_FACTS },
  nth: { type: 'integer', min: 1, max: 3, unit: 'facts' },
  effectsAfter: { type: 'integer', min: 0, max: 30, unit: 'effects' },
  powerLoss: { type: 'boolean' },
} as const;

/** The channel of one of these facts. */
export function factChannel(facts: Facts, name: string): FactChannel<readonly FactValue[]> {
  return facts[name as (typeof CRASH_FACTS | typeof MORE_FACTS)[number]] as unknown as FactChannel<readonly FactValue[]>;
}

/** A crash at a telling moment: just after a vote, as a leader is elected, between an append and its commit. */
export const crashAtFact: Fault<CrashAtFactParams> = {
  kind: 'crash-at-fact',
  about:
    'The etcd member dies at its nth vote, election, append or commit from now on, a few effects later; it is started again when healed.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<CrashAtFactParams>('crash-at-fact', params, topology),
  describe: (p) => `crash ${p.program} at ${p.fact} ${p.nth}+${p.effectsAfter}${p.powerLoss ? ' with power loss' : ''}`,
  lanes: (p) => [p.program],
  inject: (target, p) => {
    const host = target.world.host(hostOfProgram(target.topology, p.program) ?? p.program);
    let waiting = true;
    let seen = 0;
    let crash: ArmedCrash | undefined;
    factChannel(target.facts, p.fact).subscribe((member) => {
      if (!waiting || member !== p.program || ++seen < p.nth) return;
      waiting = false;
      const process = host.process(p.program);
      if (process !== undefined) crash = armCrash(target.world, host, process, process.effects + p.effectsAfter + 1, p.powerLoss);
    });
    return {
      heal: () => {
        waiting = false;
        crash?.disarm();
      },
      touched: () => (crash?.fired() === true ? 1 : 0),
    };
  },
};
