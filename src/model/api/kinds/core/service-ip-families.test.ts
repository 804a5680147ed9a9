import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../types.ts';
import { fieldErrorText } from '../../validation/field-errors.ts';
import type { FieldErrors } from '../../validation/field-errors.ts';
import { initIpFamilies } from './service-ip-families.ts';

function run(spec: ServiceSpec, configured: readonly ('IPv4' | 'IPv6')[] = ['IPv4']): readonly [ServiceSpec, readonly string[]] {
  const errors: FieldErrors = [];
  const result = initIpFamilies({ type: 'ClusterIP', ...spec }, undefined, configured, errors);
  return [result, errors.map(fieldErrorText)];
}

describe('IP families of services', () => {
  it('are those of the cluster', () => {
    expect(run({})[0]).toMatchObject({ ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
    expect(run({ ipFamilyPolicy: 'PreferDualStack' }, ['IPv6', 'IPv4'])[0].ipFamilies).toEqual(['IPv6', 'IPv4']);
  });

  it('of headless services without selector are both', () => {
    expect(run({ clusterIP: 'None', clusterIPs: ['None'] })[0]).toMatchObject({
      ipFamilies: ['IPv4', 'IPv6'],
      ipFamilyPolicy: 'RequireDualStack',
    });
  });

  it('that the cluster has not are refused', () => {
    expect(run({ ipFamilies: ['IPv6'] })[1]).toEqual(['spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster']);
    expect(run({ clusterIP: 'fd00::1', clusterIPs: ['fd00::1'] })[1]).toEqual([
      'spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
    ]);
  });
});
