import { countFrom } from './disk-counter.ts';
import { diskHosts } from './disk-stall.ts';
import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';

export interface DiskSlowParams extends FaultParams {
  readonly kind: 'disk-slow';
  readonly host: string;
  readonly factor: number;
}

const params = { host: { type: 'name', of: diskHosts }, factor: { type: 'integer', min: 2, max: 500, unit: 'times' } } as const;

/** A noisy neighbour on the disk: every fsync takes many times as long. */
export const diskSlow: Fault<DiskSlowParams> = {
  kind: 'disk-slow',
  about: 'Every fsync of the host takes many times as long.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<DiskSlowParams>('disk-slow', params, topology),
  describe: (p) => `disk ${p.host} ${p.factor}× slower`,
  lanes: (p) => [p.host],
  inject: (target, p) => {
    const disk = target.world.host(p.host).disk;
    const counter = countFrom(() => disk.touched.slowSyncs);
    disk.slowDown(p.factor);
    return {
      heal: () => {
        disk.speedUp(p.factor);
        counter.stop();
      },
      touched: counter.touched,
    };
  },
};
