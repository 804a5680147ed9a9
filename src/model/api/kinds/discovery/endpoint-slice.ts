import { changedEach, withMissing, without } from '../../defaults/missing.ts';
import type { DiscoveryEndpointPort, Endpoint, EndpointSlice } from '../../types.ts';
import { duplicate, type FieldErrors, invalid, notSupported, required, tooMany } from '../../validation/field-errors.ts';
import { checkImmutable, sameValue } from '../../validation/immutable.ts';
import { checkIp, checkNonSpecialIp, isIpv4, isIpv6 } from '../../validation/ip.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1123Label, isDns1123Subdomain, isQualifiedName, nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columns, unset } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshGeneration, nextGeneration } from '../strategy.ts';

/** Upstream: pkg/registry/discovery/endpointslice/strategy.go, pkg/apis/discovery/v1/defaults.go, pkg/apis/discovery/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const addressTypes = ['FQDN', 'IPv4', 'IPv6'];
const protocols = ['SCTP', 'TCP', 'UDP'];
const portDefaults = { name: '', protocol: 'TCP' } as const;
const endpointsMax = 1000;

function setDefaults(slice: EndpointSlice): EndpointSlice {
  const ported = changedEach(slice, 'ports', (port: DiscoveryEndpointPort) => withMissing(port, portDefaults));
  return changedEach(ported, 'endpoints', (endpoint: Endpoint) => withMissing(endpoint, { conditions: {} }));
}

/** v1 knows the old topology only to carry it: a new slice has none. */
function withoutTopology(slice: EndpointSlice): EndpointSlice {
  return changedEach(slice, 'endpoints', (endpoint: Endpoint) => without(endpoint, 'deprecatedTopology'));
}

function checkAddress(address: string, type: string, field: string, out: FieldErrors): void {
  if (type === 'IPv4' || type === 'IPv6') {
    if (!checkIp(address, field, out)) return;
    if (type === 'IPv4' && !isIpv4(address)) out.push(invalid(field, address, 'must be an IPv4 address'));
    if (type === 'IPv6' && !isIpv6(address)) out.push(invalid(field, address, 'must be an IPv6 address'));
    checkNonSpecialIp(address, field, out);
  } else if (type === 'FQDN') {
    const name = address.endsWith('.') ? address.slice(0, -1) : address;
    const messages = isDns1123Subdomain(name);
    for (const message of messages) out.push(invalid(field, address, message));
    if (messages.length === 0 && !name.includes('.'))
      out.push(invalid(field, address, 'should be a domain with at least two segments separated by dots'));
  }
}

function checkEndpoints(slice: EndpointSlice, out: FieldErrors): void {
  const endpoints = slice.endpoints ?? [];
  if (endpoints.length > endpointsMax) return void out.push(tooMany('endpoints', endpoints.length, endpointsMax));
  for (let i = 0; i < endpoints.length; i++) {
    const endpoint = endpoints[i];
    if (endpoint === undefined) continue;
    const path = `endpoints[${i}]`;
    const addresses = endpoint.addresses ?? [];
    if (addresses.length === 0) out.push(required(`${path}.addresses`, 'must contain at least 1 address'));
    else if (addresses.length > 100) out.push(tooMany(`${path}.addresses`, addresses.length, 100));
    else for (let j = 0; j < addresses.length; j++) checkAddress(addresses[j] ?? '', slice.addressType, `${path}.addresses[${j}]`, out);
    if (endpoint.nodeName !== undefined)
      for (const message of isDns1123Subdomain(endpoint.nodeName)) out.push(invalid(`${path}.nodeName`, endpoint.nodeName, message));
    const topology = endpoint.deprecatedTopology ?? {};
    if (topology['kubernetes.io/hostname'] !== undefined) {
      out.push({
        type: 'FieldValueInvalid',
        field: `${path}.deprecatedTopology.kubernetes.io/hostname`,
        badValue: topology['kubernetes.io/hostname'],
        detail: 'not allowed',
      });
    }
    if (endpoint.hostname !== undefined)
      for (const message of isDns1123Label(endpoint.hostname)) out.push(invalid(`${path}.hostname`, endpoint.hostname, message));
    const zones = endpoint.hints?.forZones ?? [];
    if (zones.length > 8) out.push(tooMany(`${path}.hints.forZones`, zones.length, 8));
    for (const [j, zone] of zones.entries()) {
      for (const message of isDns1123Label(zone.name ?? ''))
        out.push(invalid(`${path}.hints.forZones[${j}].name`, zone.name ?? '', message));
      if (zones.findIndex((z) => z.name === zone.name) < j) out.push(duplicate(`${path}.hints.forZones[${j}].name`, zone.name));
    }
  }
}

function checkPorts(ports: readonly DiscoveryEndpointPort[] | undefined, out: FieldErrors): void {
  if (ports === undefined || ports === null) return;
  if (ports.length > 20_000) return void out.push(tooMany('ports', ports.length, 20_000));
  const names = new Set<string>();
  for (const [i, port] of ports.entries()) {
    const path = `ports[${i}]`;
    const name = port.name ?? '';
    if (name !== '') for (const message of isDns1123Label(name)) out.push(invalid(`${path}.name`, name, message));
    if (names.has(name)) out.push(duplicate(`${path}.name`, name));
    names.add(name);
    const protocol: string | undefined = port.protocol;
    if (protocol === undefined) out.push(required(`${path}.protocol`));
    else if (!protocols.includes(protocol)) out.push(notSupported(`${path}.protocol`, protocol, protocols));
    if (port.appProtocol !== undefined)
      for (const message of isQualifiedName(port.appProtocol)) out.push(invalid(`${path}.appProtocol`, port.appProtocol, message));
  }
}

function checkAddressType(type: string, out: FieldErrors): void {
  if (type === '') out.push(required('addressType'));
  else if (!addressTypes.includes(type)) out.push(notSupported('addressType', type, addressTypes));
}

function validate(slice: EndpointSlice): FieldErrors {
  const out: FieldErrors = [];
  checkMetadata(slice.metadata, rule, out);
  checkAddressType(slice.addressType ?? '', out);
  checkEndpoints(slice, out);
  checkPorts(slice.ports, out);
  return out;
}

/** What the generation counts: all but metadata, and labels of it. */
function content({ addressType, endpoints, ports, metadata }: EndpointSlice): unknown {
  return { addressType, endpoints, ports, labels: metadata.labels };
}

function some(list: readonly string[]): string {
  if (list.length === 0) return unset;
  return list.length > 3 ? `${list.slice(0, 3).join(',')} + ${list.length - 3} more...` : list.join(',');
}

export const endpointSlice = defineKind<EndpointSlice>('discovery.k8s.io/v1', 'endpointslices', {
  setDefaults,
  prepareForCreate: (slice) => freshGeneration(withoutTopology(slice)),
  prepareForUpdate: (next, previous) => nextGeneration(next, previous, !sameValue(content(next), content(previous))),
  validate,
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (next.addressType === previous.addressType && next.endpoints === previous.endpoints && next.ports === previous.ports) return out;
    if (next.addressType === previous.addressType) {
      checkEndpoints(next, out);
      checkPorts(next.ports, out);
    } else out.push(...validate(next).filter(({ field }) => !field.startsWith('metadata')));
    checkImmutable<string>(next.addressType, previous.addressType, 'addressType', out);
    return out;
  },
  warnings: ({ addressType }) => (addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []),
  columns: columns<EndpointSlice>('endpointslices.discovery.k8s.io', [
    ['AddressType', 'string', ({ addressType }) => addressType],
    [
      'Ports',
      'string',
      ({ ports }) =>
        some((ports ?? []).map((p) => (p.port === undefined ? (p.name === undefined || p.name === '' ? '*' : p.name) : String(p.port)))),
    ],
    ['Endpoints', 'string', ({ endpoints }) => some((endpoints ?? []).flatMap((e) => e.addresses))],
    age(),
  ]),
});
