import type { APIService } from '../../types.ts';
import { type FieldErrors, invalid, required } from '../../validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isPathSegment } from '../../validation/names.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { keepStatus, statusUpdate } from '../strategy.ts';

/** Upstream: staging/src/k8s.io/kube-aggregator/pkg/registry/apiservice and its validation. */
function check(object: APIService, out: FieldErrors): void {
  const { spec } = object;
  const name = `${spec?.version ?? ''}.${spec?.group ?? ''}`;
  const rule = {
    namespaced: false,
    name: (given: string): readonly string[] => [
      ...isPathSegment(given),
      ...(given === name ? [] : [`must be \`spec.version+"."+spec.group\`: "${name}"`]),
    ],
  };
  checkMetadata(object.metadata, rule, out);
  const { groupPriorityMinimum = 0, versionPriority = 0, service, insecureSkipTLSVerify } = spec ?? {};
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20_000) {
    out.push(invalid('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000'));
  }
  if (versionPriority <= 0 || versionPriority > 1000)
    out.push(invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000'));
  if (service === undefined) {
    if ((spec?.caBundle ?? '') !== '')
      out.push(invalid('spec.caBundle', `${(spec?.caBundle ?? '').length} bytes`, 'local APIServices may not have a caBundle'));
    if (insecureSkipTLSVerify === true)
      out.push(invalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify'));
    return;
  }
  if ((service.namespace ?? '') === '') out.push(required('spec.service.namespace'));
  if ((service.name ?? '') === '') out.push(required('spec.service.name'));
}

function availability({ spec, status }: APIService): string {
  const condition = status?.conditions?.find((c) => c.type === 'Available');
  if (condition === undefined) return 'Unknown';
  return condition.status === 'True' || spec === undefined ? condition.status : `${condition.status} (${condition.reason})`;
}

export const apiService = defineKind<APIService>('apiregistration.k8s.io/v1', 'apiservices', {
  /** Local API services are available at once. */
  prepareForCreate: (object) =>
    object.spec?.service === undefined
      ? {
          ...object,
          status: {
            conditions: [
              {
                type: 'Available',
                status: 'True',
                lastTransitionTime: object.metadata.creationTimestamp ?? '',
                reason: 'Local',
                message: 'Local APIServices are always available',
              },
            ],
          },
        }
      : { ...object, status: {} },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: statusUpdate,
  validate(object) {
    const out: FieldErrors = [];
    check(object, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, { namespaced: false, name: isPathSegment }, out);
    check(next, out);
    return out;
  },
  columns: columns<APIService>('apiservices.apiregistration.k8s.io', [
    ['Service', 'string', ({ spec }) => (spec?.service === undefined ? 'Local' : `${spec.service.namespace}/${spec.service.name}`)],
    ['Available', 'string', availability],
    age(),
  ]),
});
