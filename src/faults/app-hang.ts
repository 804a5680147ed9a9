import type { Arbitrary } from 'fast-check';
import type { Fault, FaultParams } from './fault.ts';

export interface AppHangParams extends FaultParams {
  readonly kind: 'app-hang';
  /** `namespace/name` of a Deployment or StatefulSet. */
  readonly workload: string;
  readonly ordinal: number;
}

/** The scenario names the workload: a cluster's shape does not know it. */
function fromScenario(): Arbitrary<AppHangParams> | undefined {
  return undefined;
}

/** One application stands still: probes and requests time out, so its pod leaves the endpoints and comes back. */
export const appHang: Fault<AppHangParams> = {
  kind: 'app-hang',
  about: 'The containers of one pod (the nth of a workload by name) stand still until healed: they answer neither probes nor requests.',
  operation: false,
  params: { workload: { type: 'text' }, ordinal: { type: 'integer', min: 0, max: 1000, unit: 'nth pod by name' } },
  arbitrary: fromScenario,
  describe: (p) => `hang pod ${p.ordinal} of ${p.workload}`,
  lanes: () => [],
  inject: (target, p) => {
    const processes = target.operator.podProcesses(p.workload, p.ordinal);
    for (const process of processes) process.pause();
    return {
      heal: () => {
        for (const process of processes) process.resume();
      },
      touched: () => processes.length,
      lanes: () => [...new Set(processes.map((process) => process.host.name))],
    };
  },
};
