import { countFrom } from './disk-counter.ts';
import { diskHosts } from './disk-stall.ts';
import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';

export interface DiskFullParams extends FaultParams {
  readonly kind: 'disk-full';
  readonly host: string;
}

const params = { host: { type: 'name', of: diskHosts } } as const;

/** No space left on device. */
export const diskFull: Fault<DiskFullParams> = {
  kind: 'disk-full',
  about: 'Writes to the disk of the host fail with "no space left on device" until healed.',
  operation: false,
  params,
  arbitrary: (topology) => paramsArbitrary<DiskFullParams>('disk-full', params, topology),
  describe: (p) => `disk full ${p.host}`,
  lanes: (p) => [p.host],
  inject: (target, p) => {
    const disk = target.world.host(p.host).disk;
    const counter = countFrom(() => disk.touched.refusedWrites);
    disk.fill();
    return {
      heal: () => {
        disk.free();
        counter.stop();
      },
      touched: counter.touched,
    };
  },
};
