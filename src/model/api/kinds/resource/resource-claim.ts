import { changed, changedEach, withMissing } from '../../defaults/missing.ts';
import type { ResourceResourceClaim } from '../../types.ts';
import { duplicate, type FieldErrors, invalid, required } from '../../validation/field-errors.ts';
import { checkImmutable } from '../../validation/immutable.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1123Label, isDns1123Subdomain, nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { keepStatus, statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/resource/resourceclaim/strategy.go, pkg/apis/resource/v1/defaults.go and validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
export type ClaimSpec = NonNullable<ResourceResourceClaim['spec']>;
type Request = NonNullable<NonNullable<ClaimSpec['devices']>['requests']>[number];
const requestsMax = 32;

/** A request without a mode wants exactly one device. */
export function defaultClaimSpec(spec: ClaimSpec): ClaimSpec {
  if (spec.devices === undefined) return spec;
  return changed(spec, 'devices', (devices) =>
    changedEach(devices, 'requests', (request: Request) =>
      request.exactly === undefined
        ? request
        : changed(request, 'exactly', (exactly) => {
            const moded = withMissing(exactly, { allocationMode: 'ExactCount' });
            return moded.allocationMode === 'ExactCount' ? withMissing(moded, { count: 1 }) : moded;
          }),
    ),
  );
}

export function checkClaimSpec(spec: ClaimSpec | undefined, field: string, out: FieldErrors): void {
  const requests = spec?.devices?.requests ?? [];
  if (requests.length > requestsMax) {
    out.push({
      type: 'FieldValueTooMany',
      field: `${field}.devices.requests`,
      badValue: requests.length,
      detail: `must have at most ${requestsMax} items`,
    });
  }
  const names = new Set<string>();
  for (const [i, request] of requests.entries()) {
    const path = `${field}.devices.requests[${i}]`;
    const name = request.name ?? '';
    if (name === '') out.push(required(`${path}.name`));
    else for (const message of isDns1123Label(name)) out.push(invalid(`${path}.name`, name, message));
    if (names.has(name)) out.push(duplicate(`${path}.name`, name));
    names.add(name);
    const alternatives = request.firstAvailable ?? [];
    if (request.exactly === undefined && alternatives.length === 0)
      out.push(required(path, 'exactly one of `exactly` or `firstAvailable` is required'));
    else if (request.exactly !== undefined && alternatives.length > 0)
      out.push(invalid(path, null, 'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set'));
    const className = request.exactly?.deviceClassName;
    if (request.exactly === undefined) continue;
    if ((className ?? '') === '') out.push(required(`${path}.exactly.deviceClassName`));
    else
      for (const message of isDns1123Subdomain(className ?? '')) out.push(invalid(`${path}.exactly.deviceClassName`, className, message));
  }
}

export const resourceClaim = defineKind<ResourceResourceClaim>('resource.k8s.io/v1', 'resourceclaims', {
  setDefaults: (object) => (object.spec === undefined ? object : changed(object, 'spec', defaultClaimSpec)),
  prepareForCreate: (object) => ({ ...object, status: {} }),
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: statusUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkClaimSpec(spec, 'spec', out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkImmutable<ClaimSpec | undefined>(next.spec, previous.spec, 'spec', out);
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    const { allocation, reservedFor = [] } = next.status ?? {};
    if (reservedFor.length > 0 && allocation === undefined)
      out.push({ type: 'FieldValueForbidden', field: 'status.reservedFor', detail: 'may not be specified when `allocated` is not set' });
    if (previous.status?.allocation !== undefined && allocation !== undefined)
      checkImmutable(allocation, previous.status.allocation, 'status.allocation', out);
    return out;
  },
  columns: columns<ResourceResourceClaim>('resourceclaims.resource.k8s.io', [
    [
      'State',
      'string',
      ({ metadata, status }) => {
        const states: string[] = [];
        if (metadata.deletionTimestamp !== undefined) states.push('deleted');
        if (status?.allocation === undefined) {
          if (metadata.deletionTimestamp === undefined) states.push('pending');
        } else states.push('allocated', ...((status.reservedFor ?? []).length > 0 ? ['reserved'] : []));
        return states.join(',');
      },
    ],
    age(),
  ]),
});
