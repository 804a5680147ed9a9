import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import { hostOfProgram, programNames, type Topology } from './topology.ts';

export interface CrashProcessParams extends FaultParams {
  readonly kind: 'crash-process';
  readonly program: string;
}

/** Programs whose crash a cluster must survive. */
export function crashable(topology: Topology): readonly string[] {
  return programNames(topology, 'etcd-', 'api-', 'kcm-', 'scheduler-', 'kubelet-', 'containerd-', 'crio-', 'kube-proxy-');
}

const params = { program: { type: 'name', of: crashable } } as const;

/** SIGKILL: memory is gone, the page cache stays. Healing starts the program again. */
export const crashProcess: Fault<CrashProcessParams> = {
  kind: 'crash-process',
  about: 'The program is killed and stays down until healed; its disk keeps what was written, synced or not.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<CrashProcessParams>('crash-process', params, topology),
  describe: (p) => `crash ${p.program}`,
  lanes: (p) => [p.program],
  inject: (target, p) => {
    const host = target.world.host(hostOfProgram(target.topology, p.program) ?? p.program);
    const process = host.process(p.program);
    host.keepDown(p.program);
    process?.kill('fault: crash-process');
    return {
      heal: () => host.letUp(p.program),
      touched: () => (process === undefined ? 0 : 1),
    };
  },
};
