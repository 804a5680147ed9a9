import type {
  LabelSelector,
  NodeAffinity,
  NodeSelector,
  NodeSelectorTerm,
  PodAffinityTerm,
  PodSpec,
  Toleration,
  TopologySpreadConstraint,
} from '../types.ts';
import { duplicate, type FieldErrors, forbidden, invalid, notSupported, required } from './field-errors.ts';
import { checkLabelName, checkLabelSelector } from './labels.ts';
import { isDns1123Label, isDns1123Subdomain, isLabelValue } from './names.ts';
import { notPositiveMessage } from './resources.ts';

/** Where a pod may run: affinities, tolerations, spread. Upstream: validateAffinity, ValidateTolerations, validateTopologySpreadConstraints. */

const taintEffects: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** validateTaintEffect. */
export function checkTaintEffect(effect: string, allowEmpty: boolean, field: string, out: FieldErrors): void {
  if (taintEffects.includes(effect)) return;
  if (effect === '' && !allowEmpty) out.push(required(field));
  else out.push(notSupported(field, effect, taintEffects));
}

export function checkTolerations(tolerations: readonly Toleration[] | undefined, field: string, out: FieldErrors): void {
  if (tolerations === undefined) return;
  for (let i = 0; i < tolerations.length; i++) {
    const toleration = tolerations[i];
    if (toleration === undefined) continue;
    const path = `${field}[${i}]`;
    const { key = '', value = '' } = toleration;
    const operator: string = toleration.operator ?? '';
    const effect: string = toleration.effect ?? '';
    if (key !== '') checkLabelName(key, `${path}.key`, out);
    else if (operator !== 'Exists') {
      out.push(
        invalid(`${path}.operator`, operator, 'operator must be Exists when `key` is empty, which means "match all values and all keys"'),
      );
    }
    if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute') {
      out.push(invalid(`${path}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    }
    if (operator === 'Exists') {
      if (value !== '') out.push(invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'"));
    } else if (operator === 'Equal' || operator === '') {
      const messages = isLabelValue(value);
      if (messages.length > 0) out.push(invalid(`${path}.operator`, value, messages.join(';')));
    } else out.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']));
    if (effect !== '') checkTaintEffect(effect, true, `${path}.effect`, out);
  }
}

/** ValidateNodeSelector. */
export function checkNodeSelector(selector: NodeSelector, field: string, out: FieldErrors): void {
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) out.push(required(`${field}.nodeSelectorTerms`, 'must have at least one node selector term'));
  for (let i = 0; i < terms.length; i++) {
    const term = terms[i];
    if (term !== undefined) checkNodeSelectorTerm(term, `${field}.nodeSelectorTerms[${i}]`, true, out);
  }
}

/** ValidateNodeSelectorTerm. `checkValues` is off for preferred terms. */
function checkNodeSelectorTerm(term: NodeSelectorTerm, field: string, checkValues: boolean, out: FieldErrors): void {
  const expressions = term.matchExpressions ?? [];
  for (let i = 0; i < expressions.length; i++) {
    const { key = '', operator, values = [] } = expressions[i] ?? {};
    const path = `${field}.matchExpressions[${i}]`;
    switch (operator as string | undefined) {
      case 'In':
      case 'NotIn':
        if (values.length === 0) out.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
        break;
      case 'Exists':
      case 'DoesNotExist':
        if (values.length > 0) out.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
        break;
      case 'Gt':
      case 'Lt':
        if (values.length !== 1) out.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
        break;
      default:
        out.push(invalid(`${path}.operator`, operator ?? '', 'not a valid selector operator'));
    }
    checkLabelName(key, `${path}.key`, out);
    if (!checkValues) continue;
    for (let j = 0; j < values.length; j++) {
      for (const message of isLabelValue(values[j] ?? '')) out.push(invalid(`${path}.values[${j}]`, values[j], message));
    }
  }
  const fields = term.matchFields ?? [];
  for (let i = 0; i < fields.length; i++) {
    const { key = '', operator, values = [] } = fields[i] ?? {};
    const path = `${field}.matchFields[${i}]`;
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length !== 1)
        out.push(required(`${path}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"));
    } else out.push(invalid(`${path}.operator`, operator ?? '', 'not a valid selector operator'));
    if (key !== 'metadata.name') out.push(invalid(`${path}.key`, key, 'not a valid field selector key'));
    else {
      for (let j = 0; j < values.length; j++) {
        for (const message of isDns1123Subdomain(values[j] ?? '')) out.push(invalid(`${path}.values[${j}]`, values[j], message));
      }
    }
  }
}

const requiredKey = 'requiredDuringSchedulingIgnoredDuringExecution';
const preferredKey = 'preferredDuringSchedulingIgnoredDuringExecution';
const weightMessage = 'must be in the range 1-100';

export function checkNodeAffinity(affinity: NodeAffinity, field: string, out: FieldErrors): void {
  const must = affinity[requiredKey];
  if (must !== undefined) checkNodeSelector(must, `${field}.${requiredKey}`, out);
  const terms = affinity[preferredKey] ?? [];
  for (let i = 0; i < terms.length; i++) {
    const { weight = 0, preference = {} } = terms[i] ?? {};
    const path = `${field}.${preferredKey}[${i}]`;
    if (weight <= 0 || weight > 100) out.push(invalid(`${path}.weight`, weight, weightMessage));
    checkNodeSelectorTerm(preference, `${path}.preference`, false, out);
  }
}

export function checkAffinity(affinity: PodSpec['affinity'], field: string, out: FieldErrors): void {
  if (affinity === undefined) return;
  if (affinity.nodeAffinity !== undefined) checkNodeAffinity(affinity.nodeAffinity, `${field}.nodeAffinity`, out);
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    const pods = affinity[kind];
    if (pods === undefined) continue;
    const must = pods[requiredKey] ?? [];
    for (let i = 0; i < must.length; i++) {
      const term = must[i];
      if (term !== undefined) checkPodAffinityTerm(term, `${field}.${kind}.${requiredKey}[${i}]`, out);
    }
    const preferred = pods[preferredKey] ?? [];
    for (let i = 0; i < preferred.length; i++) {
      const { weight = 0, podAffinityTerm } = preferred[i] ?? {};
      const path = `${field}.${kind}.${preferredKey}[${i}]`;
      if (weight <= 0 || weight > 100) out.push(invalid(`${path}.weight`, weight, weightMessage));
      checkPodAffinityTerm(podAffinityTerm ?? { topologyKey: '' }, `${path}.podAffinityTerm`, out);
    }
  }
}

function checkPodAffinityTerm(term: PodAffinityTerm, field: string, out: FieldErrors): void {
  checkLabelSelector(term.labelSelector, `${field}.labelSelector`, out);
  checkLabelSelector(term.namespaceSelector, `${field}.namespaceSelector`, out);
  for (const name of term.namespaces ?? [])
    for (const message of isDns1123Label(name)) out.push(invalid(`${field}.namespace`, name, message));
  checkMatchLabelKeys(term, field, out);
  const key = term.topologyKey ?? '';
  if (key === '') out.push(required(`${field}.topologyKey`, 'can not be empty'));
  checkLabelName(key, `${field}.topologyKey`, out);
}

/** validateMatchLabelKeysAndMismatchLabelKeys. */
function checkMatchLabelKeys(term: PodAffinityTerm, field: string, out: FieldErrors): void {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } = term;
  if (matchLabelKeys.length === 0 && mismatchLabelKeys.length === 0) return;
  for (const [name, keys] of [
    ['matchLabelKeys', matchLabelKeys],
    ['mismatchLabelKeys', mismatchLabelKeys],
  ] as const) {
    if (keys.length === 0) continue;
    if (labelSelector === undefined) out.push(forbidden(`${field}.${name}`, 'must not be specified when labelSelector is not set'));
    else for (const [i, key] of keys.entries()) checkLabelName(key, `${field}.${name}[${i}]`, out);
  }
  if (labelSelector !== undefined) {
    // The strategy has already appended the expressions made of matchLabelKeys, so a key met a second time was the user's.
    const seen = new Set(Object.keys(labelSelector.matchLabels ?? {}));
    for (const { key } of labelSelector.matchExpressions ?? []) {
      const index = matchLabelKeys.lastIndexOf(key);
      if (index >= 0 && seen.has(key)) out.push(invalid(`${field}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'));
      seen.add(key);
    }
  }
  for (const [i, key] of matchLabelKeys.entries()) {
    if (mismatchLabelKeys.includes(key))
      out.push(invalid(`${field}.matchLabelKeys[${i}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys'));
  }
}

export function checkTopologySpread(constraints: readonly TopologySpreadConstraint[] | undefined, field: string, out: FieldErrors): void {
  if (constraints === undefined) return;
  for (let i = 0; i < constraints.length; i++) {
    const constraint = constraints[i];
    if (constraint === undefined) continue;
    const path = `${field}[${i}]`;
    const { maxSkew = 0, topologyKey = '', minDomains } = constraint;
    const action: string = constraint.whenUnsatisfiable ?? '';
    if (maxSkew <= 0) out.push(invalid(`${path}.maxSkew`, maxSkew, notPositiveMessage));
    if (topologyKey === '') out.push(required(`${path}.topologyKey`, 'can not be empty'));
    if (action !== 'DoNotSchedule' && action !== 'ScheduleAnyway')
      out.push(notSupported(`${path}.whenUnsatisfiable`, action, ['DoNotSchedule', 'ScheduleAnyway']));
    for (let j = i + 1; j < constraints.length; j++) {
      if (constraints[j]?.topologyKey === topologyKey && constraints[j]?.whenUnsatisfiable === action) {
        out.push(duplicate(`${path}.{topologyKey, whenUnsatisfiable}`, `{${topologyKey}, ${action}}`));
        break;
      }
    }
    if (minDomains !== undefined) {
      if (minDomains <= 0) out.push(invalid(`${path}.minDomains`, minDomains, notPositiveMessage));
      if (action !== 'DoNotSchedule')
        out.push(invalid(`${path}.minDomains`, minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`));
    }
    for (const policy of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
      const value: string | undefined = constraint[policy];
      if (value !== undefined && value !== 'Honor' && value !== 'Ignore')
        out.push(notSupported(`${path}.${policy}`, value, ['Honor', 'Ignore']));
    }
    checkSpreadLabelKeys(constraint.matchLabelKeys, constraint.labelSelector, `${path}.matchLabelKeys`, out);
    checkLabelSelector(constraint.labelSelector, `${path}.labelSelector`, out);
  }
}

/** validateMatchLabelKeysInTopologySpread. */
function checkSpreadLabelKeys(
  keys: readonly string[] | undefined,
  selector: LabelSelector | undefined,
  field: string,
  out: FieldErrors,
): void {
  if (keys === undefined || keys.length === 0) return;
  if (selector === undefined) out.push(forbidden(field, 'must not be specified when labelSelector is not set'));
  const seen = new Set(Object.keys(selector?.matchLabels ?? {}));
  for (const { key } of selector?.matchExpressions ?? []) {
    const index = keys.lastIndexOf(key);
    if (index >= 0 && seen.has(key)) out.push(invalid(`${field}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'));
    seen.add(key);
  }
  for (const [i, key] of keys.entries()) checkLabelName(key, `${field}[${i}]`, out);
}
