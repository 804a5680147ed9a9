import type { IPAddress } from '../../types.ts';
import { type FieldErrors, required } from '../../validation/field-errors.ts';
import { checkImmutable } from '../../validation/immutable.ts';
import { parseIp } from '../../validation/ip.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';

/** Upstream: pkg/registry/networking/ipaddress/strategy.go, pkg/apis/networking/validation. The name is the address. */
const rule = {
  namespaced: false,
  coreFinalizers: true,
  name: (name: string): readonly string[] =>
    parseIp(name) === undefined ? ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'] : [],
};

export const ipAddress = defineKind<IPAddress>('networking.k8s.io/v1', 'ipaddresses', {
  hasGeneration: false,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    const ref = spec?.parentRef;
    if (ref === undefined) out.push(required('spec.parentRef'));
    else
      for (const key of ['resource', 'name'] as const)
        if ((ref[key] ?? '') === '') out.push(required(`spec.parentRef.${key}`, `${key} is required`));
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkImmutable(next.spec?.parentRef, previous.spec?.parentRef, 'spec.parentRef', out);
    return out;
  },
  columns: columns<IPAddress>('ipaddresses.networking.k8s.io', [
    [
      'ParentRef',
      'string',
      ({ spec }) => {
        const { group, resource, namespace, name } = spec?.parentRef ?? { resource: '', name: '' };
        const qualified = (group ?? '') === '' ? resource : `${resource}.${group}`;
        return `${qualified}/${(namespace ?? '') === '' ? '' : `${namespace}/`}${name}`;
      },
    ],
    age(),
  ]),
});
