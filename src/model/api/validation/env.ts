import { quantityOf } from '../quantity.ts';
import type { Container, EnvVar } from '../types.ts';
import { type FieldErrors, invalid, notSupported, required } from './field-errors.ts';
import { isConfigMapKey, isDns1123Subdomain, isEnvVarName, isQualifiedName, nameIsDnsSubdomain } from './names.ts';
import { checkLocalNonReservedPath } from './paths.ts';

/** Environment variables and the downward API's field and resource references. Upstream: ValidateEnv, ValidateEnvFrom. */

type ObjectFieldSelector = NonNullable<NonNullable<EnvVar['valueFrom']>['fieldRef']>;
type ResourceFieldSelector = NonNullable<NonNullable<EnvVar['valueFrom']>['resourceFieldRef']>;

const envFieldPaths: readonly string[] = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
/** ConvertDownwardAPIFieldLabel: what may be named at all, before what may be named here. */
const convertible = new Set([
  ...envFieldPaths,
  'metadata.annotations',
  'metadata.labels',
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
  'status.nominatedNodeName',
]);
const resourceFields: readonly string[] = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const byteDivisors = new Set(['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']);
const byteDivisorText = "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the";

export function checkEnv(vars: Container['env'], field: string, out: FieldErrors): void {
  if (vars === undefined) return;
  for (let i = 0; i < vars.length; i++) {
    const variable = vars[i];
    if (variable === undefined) continue;
    const name = variable.name ?? '';
    if (name === '') out.push(required(`${field}[${i}].name`));
    else for (const message of isEnvVarName(name)) out.push(invalid(`${field}[${i}].name`, name, message));
    if (variable.valueFrom !== undefined) checkValueFrom(variable, variable.valueFrom, `${field}[${i}].valueFrom`, out);
  }
}

function checkValueFrom(variable: EnvVar, source: NonNullable<EnvVar['valueFrom']>, field: string, out: FieldErrors): void {
  let sources = 0;
  if (source.fieldRef !== undefined) {
    sources++;
    checkFieldRef(source.fieldRef, envFieldPaths, `${field}.fieldRef`, out);
  }
  if (source.resourceFieldRef !== undefined) {
    sources++;
    checkResourceFieldRef(source.resourceFieldRef, `${field}.resourceFieldRef`, false, out);
  }
  if (source.configMapKeyRef !== undefined) {
    sources++;
    checkKeyRef(source.configMapKeyRef, `${field}.configMapKeyRef`, out);
  }
  if (source.secretKeyRef !== undefined) {
    sources++;
    checkKeyRef(source.secretKeyRef, `${field}.secretKeyRef`, out);
  }
  if (source.fileKeyRef !== undefined) {
    sources++;
    const { key = '', path = '', volumeName = '' } = source.fileKeyRef;
    if (key === '') out.push(required(`${field}.fileKeyRef.key`));
    else for (const message of isEnvVarName(key)) out.push(invalid(`${field}.fileKeyRef.key`, key, message));
    if (volumeName === '') out.push(required(`${field}.fileKeyRef.volumeName`));
    if (path === '') out.push(required(`${field}.fileKeyRef.path`));
    else checkLocalNonReservedPath(path, `${field}.fileKeyRef.path`, out);
  }
  if (sources === 0)
    out.push(invalid(field, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'));
  else if (variable.value !== undefined && variable.value !== '')
    out.push(invalid(field, '', 'may not be specified when `value` is not empty'));
  else if (sources > 1) out.push(invalid(field, '', 'may not have more than one field specified at a time'));
}

function checkKeyRef(ref: { readonly name?: string; readonly key: string }, field: string, out: FieldErrors): void {
  for (const message of isDns1123Subdomain(ref.name ?? '')) out.push(invalid(`${field}.name`, ref.name ?? '', message));
  const key = ref.key ?? '';
  if (key === '') out.push(required(`${field}.key`));
  else for (const message of isConfigMapKey(key)) out.push(invalid(`${field}.key`, key, message));
}

/** validateObjectFieldSelector. */
export function checkFieldRef(ref: ObjectFieldSelector, allowed: readonly string[], field: string, out: FieldErrors): void {
  if ((ref.apiVersion ?? '') === '') return void out.push(required(`${field}.apiVersion`));
  const path = ref.fieldPath ?? '';
  if (path === '') return void out.push(required(`${field}.fieldPath`));
  const subscript = /^(.*?)\['(.*)'\]$/s.exec(path);
  const base = subscript?.[1] ?? path;
  if (ref.apiVersion !== 'v1') {
    return void out.push(invalid(`${field}.fieldPath`, path, `error converting fieldPath: unsupported pod version: ${ref.apiVersion}`));
  }
  if (subscript === null ? !convertible.has(path) && path !== 'spec.host' : base !== 'metadata.annotations' && base !== 'metadata.labels') {
    const what = subscript === null ? `field label not supported: ${path}` : `field label does not support subscript: ${path}`;
    return void out.push(invalid(`${field}.fieldPath`, path, `error converting fieldPath: ${what}`));
  }
  if (subscript !== null) {
    const key = subscript[2] ?? '';
    const checked = base === 'metadata.annotations' ? key.toLowerCase() : key;
    for (const message of isQualifiedName(checked)) out.push(invalid(field, checked, message));
  } else if (!allowed.includes(path)) out.push(notSupported(`${field}.fieldPath`, path, [...allowed].sort()));
}

/** validateContainerResourceFieldSelector. */
export function checkResourceFieldRef(ref: ResourceFieldSelector, field: string, inVolume: boolean, out: FieldErrors): void {
  const resource = ref.resource ?? '';
  const hugePages = resource.startsWith('requests.hugepages-') || resource.startsWith('limits.hugepages-');
  if (inVolume && (ref.containerName ?? '') === '') out.push(required(`${field}.containerName`));
  else if (resource === '') out.push(required(`${field}.resource`));
  else if (!resourceFields.includes(resource) && !hugePages) out.push(notSupported(`${field}.resource`, resource, resourceFields));
  const divisor = ref.divisor ?? '0';
  if (quantityOf(divisor).nano === 0n) return;
  const path = `${field}.divisor`;
  if (resource.endsWith('.cpu')) {
    if (divisor !== '1m' && divisor !== '1')
      out.push(invalid(path, resource, "only divisor's values 1m and 1 are supported with the cpu resource"));
  } else if (!byteDivisors.has(divisor)) {
    if (resource.endsWith('.memory')) out.push(invalid(path, resource, `${byteDivisorText} memory resource`));
    else if (resource.endsWith('.ephemeral-storage'))
      out.push(invalid(path, resource, `${byteDivisorText} local ephemeral storage resource`));
    else if (hugePages) out.push(invalid(path, resource, `${byteDivisorText} hugepages resource`));
  }
}

/** ValidateEnvFrom. Upstream reports a wrong source on the list, not on its item. */
export function checkEnvFrom(sources: Container['envFrom'], field: string, out: FieldErrors): void {
  if (sources === undefined) return;
  for (let i = 0; i < sources.length; i++) {
    const source = sources[i];
    if (source === undefined) continue;
    if (source.prefix !== undefined && source.prefix !== '') {
      for (const message of isEnvVarName(source.prefix)) out.push(invalid(`${field}[${i}].prefix`, source.prefix, message));
    }
    let count = 0;
    for (const kind of ['configMapRef', 'secretRef'] as const) {
      const ref = source[kind];
      if (ref === undefined) continue;
      count++;
      const name = ref.name ?? '';
      if (name === '') out.push(required(`${field}[${i}].${kind}.name`));
      else for (const message of nameIsDnsSubdomain(name, true)) out.push(invalid(`${field}[${i}].${kind}.name`, name, message));
    }
    if (count === 0) out.push(invalid(field, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (count > 1) out.push(invalid(field, '', 'may not have more than one field specified at a time'));
  }
}
