import type { Ingress, IngressSpec } from '../../types.ts';
import { type FieldErrors, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkIp, parseIp } from '../../validation/ip.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1035Label, isDns1123Subdomain, isPortName, isWildcardDns1123Subdomain, nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkPortNumber } from '../../validation/numbers.ts';
import { age, columns, none } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshWithStatus, specUpdate, statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/networking/ingress/strategy.go, pkg/apis/networking/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const classKey = 'kubernetes.io/ingress.class';
const badSequences = ['//', '/./', '/../', '%2f', '%2F'];
const badSuffixes = ['/..', '/.'];

type Rule = NonNullable<IngressSpec['rules']>[number];
type Path = NonNullable<NonNullable<Rule['http']>['paths']>[number];
type Backend = NonNullable<IngressSpec['defaultBackend']>;

function checkBackend(backend: Backend, field: string, out: FieldErrors): void {
  const { resource, service } = backend;
  if (resource !== undefined && service !== undefined)
    return void out.push(invalid(field, '', 'cannot set both resource and service backends'));
  if (resource !== undefined) {
    const { apiGroup, kind = '', name = '' } = resource;
    if (apiGroup !== undefined && apiGroup !== null)
      for (const message of isDns1123Subdomain(apiGroup)) out.push(invalid(`${field}.resource.apiGroup`, apiGroup, message));
    if (kind === '') out.push(required(`${field}.resource.kind`, 'kind is required'));
    if (name === '') out.push(required(`${field}.resource.name`, 'name is required'));
    return;
  }
  if (service === undefined) return void out.push(invalid(field, '', 'resource or service backend is required'));
  const name = service.name ?? '';
  if (name === '') out.push(required(`${field}.service.name`));
  else for (const message of isDns1035Label(name)) out.push(invalid(`${field}.service.name`, name, message));
  const portName = service.port?.name ?? '';
  const number = service.port?.number ?? 0;
  if (portName !== '' && number !== 0) out.push(invalid(field, '', 'cannot set both port name & port number'));
  else if (portName !== '') for (const message of isPortName(portName)) out.push(invalid(`${field}.service.port.name`, portName, message));
  else if (number !== 0) checkPortNumber(number, `${field}.service.port.number`, out);
  else out.push(required(field, 'port name or number is required'));
}

function checkPath(path: Path, field: string, out: FieldErrors): void {
  const type: string | undefined = path.pathType;
  const text = path.path ?? '';
  if (type === undefined) return void out.push(required(`${field}.pathType`, 'pathType must be specified'));
  const absolute = text.startsWith('/');
  if (type === 'Exact' || type === 'Prefix') {
    if (!absolute) out.push(invalid(`${field}.path`, text, 'must be an absolute path'));
    if (text !== '') {
      for (const sequence of badSequences)
        if (text.includes(sequence)) out.push(invalid(`${field}.path`, text, `must not contain '${sequence}'`));
      for (const suffix of badSuffixes) if (text.endsWith(suffix)) out.push(invalid(`${field}.path`, text, `cannot end with '${suffix}'`));
    }
  } else if (type === 'ImplementationSpecific') {
    if (text !== '' && !absolute) out.push(invalid(`${field}.path`, text, 'must be an absolute path'));
  } else out.push(notSupported(`${field}.pathType`, type, ['Exact', 'ImplementationSpecific', 'Prefix']));
  checkBackend(path.backend ?? {}, `${field}.backend`, out);
}

function checkHost(host: string, field: string, out: FieldErrors): void {
  for (const message of host.includes('*') ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host))
    out.push(invalid(field, host, message));
}

function checkSpec(spec: IngressSpec, out: FieldErrors): void {
  const rules = spec.rules ?? [];
  if (rules.length === 0 && spec.defaultBackend === undefined) {
    out.push(invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (spec.defaultBackend !== undefined) checkBackend(spec.defaultBackend, 'spec.defaultBackend', out);
  for (const [i, { host = '', http }] of rules.entries()) {
    const path = `spec.rules[${i}]`;
    if (host !== '') {
      if (parseIp(host) !== undefined) out.push(invalid(`${path}.host`, host, 'must be a DNS name, not an IP address'));
      checkHost(host, `${path}.host`, out);
    }
    if (http === undefined) continue;
    if ((http.paths ?? []).length === 0) out.push(required(`${path}.http.paths`));
    for (const [j, p] of (http.paths ?? []).entries()) checkPath(p, `${path}.http.paths[${j}]`, out);
  }
  for (const [i, { hosts = [], secretName = '' }] of (spec.tls ?? []).entries()) {
    for (const [j, host] of hosts.entries()) checkHost(host, `spec.tls[${i}].hosts[${j}]`, out);
    if (secretName !== '')
      for (const message of isDns1123Subdomain(secretName)) out.push(invalid(`spec.tls[${i}].secretName`, secretName, message));
  }
  const className = spec.ingressClassName;
  if (className !== undefined)
    for (const message of isDns1123Subdomain(className)) out.push(invalid('spec.ingressClassName', className, message));
}

function checkStatus({ status }: Ingress, out: FieldErrors): void {
  for (const [i, { ip = '', hostname = '' }] of (status?.loadBalancer?.ingress ?? []).entries()) {
    const path = `status.loadBalancer.ingress[${i}]`;
    if (ip !== '') checkIp(ip, `${path}.ip`, out);
    if (hostname === '') continue;
    for (const message of isDns1123Subdomain(hostname)) out.push(invalid(`${path}.hostname`, hostname, message));
    if (parseIp(hostname) !== undefined) out.push(invalid(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address'));
  }
}

export const ingress = defineKind<Ingress>('networking.k8s.io/v1', 'ingresses', {
  prepareForCreate: (object) => freshWithStatus(object, { loadBalancer: {} }),
  prepareForUpdate: specUpdate,
  prepareForStatusUpdate: statusUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkSpec(spec ?? {}, out);
    const annotation = metadata.annotations?.[classKey];
    if (annotation !== undefined && spec?.ingressClassName !== undefined && annotation !== spec.ingressClassName) {
      out.push(invalid(`annotations.${classKey}`, annotation, 'must match `ingressClassName` when both are specified'));
    }
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (next.spec !== previous.spec) checkSpec(next.spec ?? {}, out);
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkStatus(next, out);
    return out;
  },
  warnings: ({ metadata }, previous) =>
    metadata.annotations?.[classKey] === undefined || previous !== undefined
      ? []
      : [`annotation "${classKey}" is deprecated, please use 'spec.ingressClassName' instead`],
  columns: columns<Ingress>('ingresses.networking.k8s.io', [
    ['Class', 'string', ({ metadata, spec }) => spec?.ingressClassName ?? metadata.annotations?.[classKey] ?? none],
    ['Hosts', 'string', ({ spec }) => hostsText((spec?.rules ?? []).map((r) => r.host ?? '').filter((h) => h !== ''))],
    [
      'Address',
      'string',
      ({ status }) =>
        (status?.loadBalancer?.ingress ?? [])
          .map((i) => ((i.ip ?? '') === '' ? (i.hostname ?? '') : (i.ip ?? '')))
          .filter((t) => t !== '')
          .join(','),
    ],
    ['Ports', 'string', ({ spec }) => ((spec?.tls ?? []).length > 0 ? '80, 443' : '80')],
    age(),
  ]),
});

function hostsText(hosts: readonly string[]): string {
  if (hosts.length === 0) return '*';
  return hosts.length > 3 ? `${hosts.slice(0, 3).join(',')} + ${hosts.length - 3} more...` : hosts.join(',');
}
