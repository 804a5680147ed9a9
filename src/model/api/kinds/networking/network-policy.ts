import { changedEach, withMissing } from '../../defaults/missing.ts';
import type { NetworkPolicy, NetworkPolicySpec } from '../../types.ts';
import { type FieldErrors, forbidden, invalid, notSupported, required } from '../../validation/field-errors.ts';
import { checkCidr, cidrContains, parseCidr } from '../../validation/ip.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isPortName, nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkPortNumber } from '../../validation/numbers.ts';
import { age, columns, formatSelector } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshGeneration, specUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/networking/networkpolicy/strategy.go, pkg/apis/networking/v1/defaults.go and validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const protocols = ['TCP', 'UDP', 'SCTP'];
type IngressRule = NonNullable<NetworkPolicySpec['ingress']>[number];
type EgressRule = NonNullable<NetworkPolicySpec['egress']>[number];
type Port = NonNullable<IngressRule['ports']>[number];
type Peer = NonNullable<IngressRule['from']>[number];
const emptySpec = {} as NetworkPolicySpec;

function setDefaults(policy: NetworkPolicy): NetworkPolicy {
  const ported = (r: IngressRule | EgressRule): IngressRule | EgressRule =>
    changedEach(r, 'ports', (port: Port) => withMissing(port, { protocol: 'TCP' }));
  let spec: NetworkPolicySpec = withMissing(policy.spec ?? emptySpec, { podSelector: {} });
  spec = changedEach(spec, 'ingress', ported);
  spec = changedEach(spec, 'egress', ported);
  if ((spec.policyTypes ?? []).length === 0)
    spec = { ...spec, policyTypes: (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'] };
  return spec === policy.spec ? policy : { ...policy, spec };
}

function checkPort(port: Port, field: string, out: FieldErrors): void {
  const protocol: string | undefined = port.protocol;
  if (protocol !== undefined && !protocols.includes(protocol)) out.push(notSupported(`${field}.protocol`, protocol, protocols));
  const { endPort } = port;
  if (port.port === undefined) {
    if (endPort !== undefined) out.push(invalid(`${field}.endPort`, endPort, 'may not be specified when `port` is not specified'));
  } else if (typeof port.port === 'number') {
    checkPortNumber(port.port, `${field}.port`, out);
    if (endPort === undefined) return;
    if (endPort < port.port) out.push(invalid(`${field}.endPort`, port.port, 'must be greater than or equal to `port`'));
    checkPortNumber(endPort, `${field}.endPort`, out);
  } else {
    if (endPort !== undefined) out.push(invalid(`${field}.endPort`, endPort, 'may not be specified when `port` is non-numeric'));
    for (const message of isPortName(port.port)) out.push(invalid(`${field}.port`, port.port, message));
  }
}

function checkPeer(peer: Peer, field: string, out: FieldErrors): void {
  let count = 0;
  for (const key of ['podSelector', 'namespaceSelector'] as const) {
    if (peer[key] === undefined) continue;
    count++;
    checkLabelSelector(peer[key], `${field}.${key}`, out);
  }
  if (peer.ipBlock !== undefined) {
    count++;
    checkIpBlock(peer.ipBlock, `${field}.ipBlock`, out);
  }
  if (count === 0) out.push(required(field, 'must specify a peer'));
  else if (count > 1 && peer.ipBlock !== undefined) out.push(forbidden(field, 'may not specify both ipBlock and another peer'));
}

function checkIpBlock(block: NonNullable<Peer['ipBlock']>, field: string, out: FieldErrors): void {
  const text = block.cidr ?? '';
  if (text === '') return void out.push(required(`${field}.cidr`));
  if (!checkCidr(text, `${field}.cidr`, out)) return;
  const cidr = parseCidr(text);
  for (const [i, exceptText] of (block.except ?? []).entries()) {
    const path = `${field}.except[${i}]`;
    if (!checkCidr(exceptText, path, out)) continue;
    const except = parseCidr(exceptText);
    if (cidr !== undefined && except !== undefined && (!cidrContains(cidr, except.bytes) || cidr.prefix >= except.prefix)) {
      out.push(invalid(path, exceptText, 'must be a strict subset of `cidr`'));
    }
  }
}

function checkSpec(spec: NetworkPolicySpec, out: FieldErrors): void {
  checkLabelSelector(spec.podSelector, 'spec.podSelector', out);
  for (const [i, r] of (spec.ingress ?? []).entries()) {
    for (const [j, port] of (r.ports ?? []).entries()) checkPort(port, `spec.ingress[${i}].ports[${j}]`, out);
    for (const [j, peer] of (r.from ?? []).entries()) checkPeer(peer, `spec.ingress[${i}].from[${j}]`, out);
  }
  for (const [i, r] of (spec.egress ?? []).entries()) {
    for (const [j, port] of (r.ports ?? []).entries()) checkPort(port, `spec.egress[${i}].ports[${j}]`, out);
    for (const [j, peer] of (r.to ?? []).entries()) checkPeer(peer, `spec.egress[${i}].to[${j}]`, out);
  }
  const types: readonly string[] = spec.policyTypes ?? [];
  if (types.length > 2) return void out.push(invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'));
  for (const [i, type] of types.entries())
    if (type !== 'Ingress' && type !== 'Egress') out.push(notSupported(`spec.policyTypes[${i}]`, type, ['Ingress', 'Egress']));
}

export const networkPolicy = defineKind<NetworkPolicy>('networking.k8s.io/v1', 'networkpolicies', {
  setDefaults,
  prepareForCreate: freshGeneration,
  prepareForUpdate: specUpdate,
  validate({ metadata, spec }) {
    const out: FieldErrors = [];
    checkMetadata(metadata, rule, out);
    checkSpec(spec ?? emptySpec, out);
    return out;
  },
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    // Upstream's strategy validates the new policy, and its update validation does so again.
    if (next.spec !== previous.spec) checkSpec(next.spec ?? emptySpec, out);
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (next.spec !== previous.spec) checkSpec(next.spec ?? emptySpec, out);
    return out;
  },
  columns: columns<NetworkPolicy>('networkpolicies.networking.k8s.io', [
    ['Pod-Selector', 'string', ({ spec }) => formatSelector(spec?.podSelector)],
    age(),
  ]),
});
