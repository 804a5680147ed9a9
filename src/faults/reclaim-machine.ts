import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';
import { hostNames } from './topology.ts';

export interface ReclaimMachineParams extends FaultParams {
  readonly kind: 'reclaim-machine';
  readonly host: string;
}

/** A spot instance that is reclaimed, an instance that is terminated: it does not come back, and its Node stays until somebody notices. */
export const reclaimMachine: Fault<ReclaimMachineParams> = {
  kind: 'reclaim-machine',
  about: 'The cloud takes the machine away for good: it loses power, and the books of the cloud, where there is one, say that it is gone.',
  operation: true,
  params: { host: { type: 'name', of: (topology) => hostNames(topology, 'worker') } },
  // Nothing heals it: only a scenario knows which nodes a workload can do without.
  arbitrary: operationArbitrary,
  describe: (p) => `reclaim ${p.host}`,
  lanes: (p) => [p.host],
  inject: (target, p) => {
    const taken = target.operator.reclaimMachine(p.host);
    return { heal: () => undefined, touched: () => (taken ? 1 : 0) };
  },
};
