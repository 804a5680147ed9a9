import { withMissing } from '../../defaults/missing.ts';
import type { PriorityClass } from '../../types.ts';
import { type FieldErrors, forbidden, notSupported } from '../../validation/field-errors.ts';
import { checkImmutable } from '../../validation/immutable.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';

/** Upstream: pkg/registry/scheduling/priorityclass/strategy.go, pkg/apis/scheduling/helpers.go and validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };
const userPriorityMax = 1_000_000_000;
const systemClasses: Readonly<Record<string, number>> = { 'system-node-critical': 2_000_001_000, 'system-cluster-critical': 2_000_000_000 };

/** IsKnownSystemPriorityClass: what is wrong with a class of the system's prefix. */
function systemProblem({ metadata, value, globalDefault = false }: PriorityClass): string | undefined {
  const name = metadata.name ?? '';
  const known = systemClasses[name];
  if (known === undefined) return `${name} is not a known system priority class`;
  if (value !== known) return `value of ${name} PriorityClass must be ${known}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

export const priorityClass = defineKind<PriorityClass>('scheduling.k8s.io/v1', 'priorityclasses', {
  setDefaults: (object) => withMissing(object, { preemptionPolicy: 'PreemptLowerPriority' }),
  validate(object) {
    const out: FieldErrors = [];
    checkMetadata(object.metadata, rule, out);
    if (object.metadata.name?.startsWith('system-') === true) {
      const problem = systemProblem(object);
      if (problem !== undefined) {
        out.push(
          forbidden('metadata.name', `priority class names with 'system-' prefix are reserved for system use only. error: ${problem}`),
        );
      }
    } else if ((object.value ?? 0) > userPriorityMax) {
      out.push(forbidden('value', `maximum allowed value of a user defined priority is ${userPriorityMax}`));
    }
    const policy: string = object.preemptionPolicy ?? '';
    if (policy !== 'PreemptLowerPriority' && policy !== 'Never')
      out.push(notSupported('preemptionPolicy', policy, ['PreemptLowerPriority', 'Never']));
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (next.value !== previous.value) out.push(forbidden('value', 'may not be changed in an update.'));
    checkImmutable<string | undefined>(next.preemptionPolicy, previous.preemptionPolicy, 'preemptionPolicy', out);
    return out;
  },
  columns: columns<PriorityClass>('priorityclasses.scheduling.k8s.io', [
    ['Value', 'integer', ({ value }) => value ?? 0],
    ['Global-Default', 'boolean', ({ globalDefault }) => globalDefault ?? false],
    age(),
    ['PreemptionPolicy', 'string', ({ preemptionPolicy }) => preemptionPolicy ?? ''],
  ]),
});
