import { changed, withMissing } from '../../defaults/missing.ts';
import type { PriorityLevelConfiguration } from '../../types.ts';
import { type FieldErrors, forbidden, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columns, none } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshWithStatus, specUpdate, statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/flowcontrol/prioritylevelconfiguration/strategy.go, pkg/apis/flowcontrol/v1/defaults.go and validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };
type Spec = NonNullable<PriorityLevelConfiguration['spec']>;
const queuingDefaults = { queues: 64, handSize: 8, queueLengthLimit: 50 };

function setDefaults(object: PriorityLevelConfiguration): PriorityLevelConfiguration {
  let spec = object.spec ?? ({} as Spec);
  if (spec.type === 'Exempt') {
    spec = changed(withMissing(spec, { exempt: {} }), 'exempt', (exempt) =>
      withMissing(exempt, { nominalConcurrencyShares: 0, lendablePercent: 0 }),
    );
  } else if (spec.limited !== undefined) {
    spec = changed(spec, 'limited', (limited) => {
      const shared = withMissing(limited, { nominalConcurrencyShares: 30, lendablePercent: 0 });
      return changed(shared, 'limitResponse', (response) =>
        response.queuing === undefined ? response : changed(response, 'queuing', (queuing) => withMissing(queuing, queuingDefaults)),
      );
    });
  }
  return spec === object.spec ? object : { ...object, spec };
}

function checkSpec(spec: Spec | undefined, out: FieldErrors): void {
  const type = spec?.type ?? '';
  if (type === 'Exempt') {
    if (spec?.limited !== undefined) out.push(forbidden('spec.limited', 'must be nil if the type is not Limited'));
    return;
  }
  if (type !== 'Limited') return void out.push(notSupported('spec.type', type, ['Exempt', 'Limited']));
  if (spec?.exempt !== undefined) out.push(forbidden('spec.exempt', 'must be nil if the type is Limited'));
  const limited = spec?.limited;
  if (limited === undefined) return void out.push(required('spec.limited', 'must not be empty when type is Limited'));
  if ((limited.nominalConcurrencyShares ?? 0) < 0) {
    out.push(invalid('spec.limited.nominalConcurrencyShares', limited.nominalConcurrencyShares, 'must be a non-negative integer'));
  }
  const lendable = limited.lendablePercent;
  if (lendable !== undefined && (lendable < 0 || lendable > 100)) {
    out.push(invalid('spec.limited.lendablePercent', lendable, 'must be between 0 and 100, inclusive'));
  }
  const response = limited.limitResponse;
  const queuing = response?.queuing;
  if (response?.type === 'Reject') {
    if (queuing !== undefined)
      out.push(forbidden('spec.limited.limitResponse.queuing', 'must be nil if limited.limitResponse.type is not Limited'));
  } else if (response?.type === 'Queue') {
    if (queuing === undefined)
      return void out.push(required('spec.limited.limitResponse.queuing', 'must not be empty if limited.limitResponse.type is Limited'));
    const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
    const field = 'spec.limited.limitResponse.queuing';
    if (queueLengthLimit <= 0) out.push(invalid(`${field}.queueLengthLimit`, queueLengthLimit, 'must be positive'));
    if (queues <= 0) out.push(invalid(`${field}.queues`, queues, 'must be positive'));
    else if (queues > 10_000_000) out.push(invalid(`${field}.queues`, queues, 'must not be greater than 10000000'));
    if (handSize <= 0) out.push(invalid(`${field}.handSize`, handSize, 'must be positive'));
    else if (handSize > queues) out.push(invalid(`${field}.handSize`, handSize, `should not be greater than queues (${queues})`));
  } else out.push(notSupported('spec.limited.limitResponse.type', response?.type ?? '', ['Queue', 'Reject']));
}

const queuing = ({ spec }: PriorityLevelConfiguration) => spec?.limited?.limitResponse?.queuing;

export const priorityLevelConfiguration = defineKind<PriorityLevelConfiguration>(
  'flowcontrol.apiserver.k8s.io/v1',
  'prioritylevelconfigurations',
  {
    setDefaults,
    prepareForCreate: (object) => freshWithStatus(object, {}),
    prepareForUpdate: specUpdate,
    prepareForStatusUpdate: statusUpdate,
    validate({ metadata, spec }) {
      const out: FieldErrors = [];
      checkMetadata(metadata, rule, out);
      checkSpec(spec, out);
      return out;
    },
    validateUpdate(next, previous) {
      const out: FieldErrors = [];
      checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
      if (next.spec !== previous.spec) checkSpec(next.spec, out);
      return out;
    },
    columns: columns<PriorityLevelConfiguration>('prioritylevelconfigurations.flowcontrol.apiserver.k8s.io', [
      ['Type', 'string', ({ spec }) => spec?.type ?? ''],
      ['NominalConcurrencyShares', 'string', ({ spec }) => spec?.limited?.nominalConcurrencyShares ?? none],
      ['Queues', 'string', (object) => queuing(object)?.queues ?? none],
      ['HandSize', 'string', (object) => queuing(object)?.handSize ?? none],
      ['QueueLengthLimit', 'string', (object) => queuing(object)?.queueLengthLimit ?? none],
      age(),
    ]),
  },
);
