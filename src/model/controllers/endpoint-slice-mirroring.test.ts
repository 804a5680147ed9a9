import { describe, expect, it } from 'vitest';
import type { EndpointSlice } from '../api/types.ts';
import { planMirror } from './endpoint-slice-mirroring.ts';

function slice(
  name: string | undefined,
  port: number,
  addresses: readonly string[],
  more: Partial<EndpointSlice['metadata']> = {},
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...(name === undefined ? { generateName: 's-' } : { name, resourceVersion: '7' }), ...more },
    addressType: addresses[0]?.includes(':') === true ? 'IPv6' : 'IPv4',
    endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: [{ name: '', port, protocol: 'TCP' }],
  };
}

describe('slices that mirror Endpoints', () => {
  it('are rewritten, name and all, when the ports change: upstream recycleSlices', () => {
    const plan = planMirror([slice(undefined, 81, ['10.0.0.1'])], [slice('s-a', 80, ['10.0.0.1'])]);
    expect(plan.create).toEqual([]);
    expect(plan.delete).toEqual([]);
    expect(plan.update).toMatchObject([{ metadata: { name: 's-a', resourceVersion: '7' }, ports: [{ port: 81 }] }]);
  });

  it('are not rewritten into another family', () => {
    const plan = planMirror([slice(undefined, 80, ['2001:db8::1'])], [slice('s-a', 80, ['10.0.0.1'])]);
    expect(plan.create).toHaveLength(1);
    expect(plan.delete).toMatchObject([{ metadata: { name: 's-a' } }]);
  });

  it('follow annotations and labels, and stay when only the order differs', () => {
    const wanted = slice(undefined, 80, ['10.0.0.1', '10.0.0.2']);
    expect(planMirror([wanted], [slice('s-a', 80, ['10.0.0.2', '10.0.0.1'])])).toEqual({ create: [], update: [], delete: [] });
    const annotated = planMirror([wanted], [slice('s-a', 80, ['10.0.0.1', '10.0.0.2'], { annotations: { old: 'yes' } })]);
    expect(annotated.update).toHaveLength(1);
    expect(annotated.update[0]?.metadata.annotations).toBeUndefined();
  });
});
