import type { Fault, FaultParams } from './fault.ts';
import { paramsArbitrary } from './params.ts';
import type { Topology } from './topology.ts';

export interface ApiFloodParams extends FaultParams {
  readonly kind: 'api-flood';
  readonly requests: number;
  readonly objects: number;
}

const params = {
  requests: { type: 'integer', min: 100, max: 3000, unit: 'requests' },
  objects: { type: 'integer', min: 200, max: 3000, unit: 'objects' },
} as const;

function servers(topology: Topology): readonly string[] {
  return topology.hosts.filter(({ programs }) => programs.some((program) => program.startsWith('api-'))).map(({ name }) => name);
}

/** A client without privileges lists thousands of objects from all API servers, with many requests at once. */
export const apiFlood: Fault<ApiFloodParams> = {
  kind: 'api-flood',
  about: 'A client without privileges lists thousands of objects from all API servers, with many requests at once.',
  operation: false,
  onlyByName: true,
  params,
  arbitrary: (topology) => (servers(topology).length === 0 ? undefined : paramsArbitrary<ApiFloodParams>('api-flood', params, topology)),
  describe: (p) => `${p.requests} requests at a time over ${p.objects} objects`,
  lanes: (_, topology) => servers(topology),
  inject: (target, p) => {
    const flood = target.operator.floodApi(p.requests, p.objects);
    return { heal: () => flood.stop(), touched: () => flood.sent };
  },
};
