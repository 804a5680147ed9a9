import { changedEach, withMissing } from '../../defaults/missing.ts';
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints } from '../../types.ts';
import { checkProtocol } from '../../validation/containers.ts';
import { type FieldErrors, invalid, required } from '../../validation/field-errors.ts';
import { checkIp, checkNonSpecialIp } from '../../validation/ip.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isDns1123Label, isDns1123Subdomain, isQualifiedName, nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkPortNumber } from '../../validation/numbers.ts';
import { age, columns, none } from '../columns.ts';
import { defineKind } from '../define.ts';

/** Upstream: pkg/registry/core/endpoint/strategy.go, pkg/apis/core/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };

function checkAddress(address: EndpointAddress, field: string, out: FieldErrors): void {
  const ip = address.ip ?? '';
  checkIp(ip, `${field}.ip`, out);
  const { hostname = '', nodeName } = address;
  if (hostname !== '') for (const message of isDns1123Label(hostname)) out.push(invalid(`${field}.hostname`, hostname, message));
  if (nodeName !== undefined) for (const message of isDns1123Subdomain(nodeName)) out.push(invalid(`${field}.nodeName`, nodeName, message));
  checkNonSpecialIp(ip, `${field}.ip`, out);
}

function checkPort(port: EndpointPort, named: boolean, field: string, out: FieldErrors): void {
  const name = port.name ?? '';
  if (name !== '') for (const message of isDns1123Label(name)) out.push(invalid(`${field}.name`, name, message));
  else if (named) out.push(required(`${field}.name`));
  checkPortNumber(port.port ?? 0, `${field}.port`, out);
  checkProtocol(port.protocol, `${field}.protocol`, out);
  if (port.appProtocol !== undefined)
    for (const message of isQualifiedName(port.appProtocol)) out.push(invalid(`${field}.appProtocol`, port.appProtocol, message));
}

function validate({ metadata, subsets = [] }: Endpoints): FieldErrors {
  const out: FieldErrors = [];
  checkMetadata(metadata, rule, out);
  for (const [i, { addresses = [], notReadyAddresses = [], ports = [] }] of subsets.entries()) {
    const path = `subsets[${i}]`;
    if (addresses.length === 0 && notReadyAddresses.length === 0)
      out.push(required(path, 'must specify `addresses` or `notReadyAddresses`'));
    for (const [j, address] of addresses.entries()) checkAddress(address, `${path}.addresses[${j}]`, out);
    for (const [j, address] of notReadyAddresses.entries()) checkAddress(address, `${path}.notReadyAddresses[${j}]`, out);
    for (const [j, port] of ports.entries()) checkPort(port, ports.length > 1, `${path}.ports[${j}]`, out);
  }
  return out;
}

/** formatEndpoints: the first three, and how many more. */
function endpointsText({ subsets = [] }: Endpoints): string {
  const list: string[] = [];
  let count = 0;
  for (const { addresses = [], ports = [] } of subsets) {
    for (const port of ports.length === 0 ? [undefined] : ports) {
      for (const { ip } of addresses) {
        if (count++ < 3) list.push(port === undefined ? ip : `${ip.includes(':') ? `[${ip}]` : ip}:${port.port}`);
      }
    }
  }
  if (count === 0) return none;
  return count > 3 ? `${list.join(',')} + ${count - 3} more...` : list.join(',');
}

export const endpoints = defineKind<Endpoints>('v1', 'endpoints', {
  setDefaults: (object) =>
    changedEach(object, 'subsets', (subset: EndpointSubset) =>
      changedEach(subset, 'ports', (port: EndpointPort) => withMissing(port, { protocol: 'TCP' })),
    ),
  validate,
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (next.subsets !== previous.subsets) out.push(...validate(next));
    else checkMetadata(next.metadata, rule, out);
    return out;
  },
  columns: columns<Endpoints>('endpoints', [['Endpoints', 'string', endpointsText], age()]),
});
