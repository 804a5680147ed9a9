import { roundedResources } from '../../defaults/resources.ts';
import { changed, withMissing } from '../../defaults/missing.ts';
import type { Node, Taint } from '../../types.ts';
import { duplicate, type FieldErrors, forbidden, invalid } from '../../validation/field-errors.ts';
import { checkCidr, parseCidr } from '../../validation/ip.ts';
import { checkLabelName, sortedKeys } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isLabelValue, nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkResourceQuantity } from '../../validation/resources.ts';
import { checkTaintEffect } from '../../validation/scheduling.ts';
import { age, columns, none } from '../columns.ts';
import { defineKind } from '../define.ts';
import { keepStatus, statusUpdate } from '../strategy.ts';

/** Upstream: pkg/registry/core/node/strategy.go, pkg/apis/core/v1/defaults.go and conversion.go, pkg/apis/core/validation. */
const rule = { namespaced: false, name: nameIsDnsSubdomain, coreFinalizers: true };
type Status = NonNullable<Node['status']>;
type Spec = NonNullable<Node['spec']>;

const emptyInfo: NonNullable<Status['nodeInfo']> = {
  machineID: '',
  systemUUID: '',
  bootID: '',
  kernelVersion: '',
  osImage: '',
  containerRuntimeVersion: '',
  kubeletVersion: '',
  kubeProxyVersion: '',
  operatingSystem: '',
  architecture: '',
};
const statusDefaults = { daemonEndpoints: { kubeletEndpoint: { Port: 0 } }, nodeInfo: emptyInfo };

/** Allocatable defaults to capacity; the old single CIDR and the list are kept in step. */
function setDefaults(node: Node): Node {
  let spec: Spec = node.spec ?? {};
  const { podCIDR, podCIDRs } = spec;
  if (podCIDR !== undefined && podCIDR !== '' && podCIDRs?.[0] !== podCIDR) spec = { ...spec, podCIDRs: [podCIDR] };
  else if (podCIDRs?.[0] !== undefined && podCIDR !== podCIDRs[0]) spec = { ...spec, podCIDR: podCIDRs[0] };
  let status: Status = withMissing(node.status ?? {}, statusDefaults);
  if (status.capacity !== undefined) {
    status = changed(status, 'capacity', roundedResources);
    if (status.allocatable === undefined && status.capacity !== undefined) status = { ...status, allocatable: status.capacity };
    else status = changed(status, 'allocatable', roundedResources);
  }
  return spec === node.spec && status === node.status ? node : { ...node, spec, status };
}

/** validateNodeTaints. */
function checkTaints(taints: readonly Taint[] | undefined, out: FieldErrors): void {
  if (taints === undefined) return;
  const seen = new Set<string>();
  for (const [i, taint] of taints.entries()) {
    const path = `metadata.taints[${i}]`;
    const { key = '', value = '' } = taint;
    const effect: string = taint.effect ?? '';
    checkLabelName(key, `${path}.key`, out);
    const messages = isLabelValue(value);
    if (messages.length > 0) out.push(invalid(`${path}.value`, value, messages.join(';')));
    checkTaintEffect(effect, false, `${path}.effect`, out);
    const pair = `${effect}/${key}`;
    if (seen.has(pair)) {
      out.push(
        duplicate(
          path,
          { Key: key, Value: value, Effect: effect, TimeAdded: taint.timeAdded ?? null },
          'taints must be unique by key and effect pair',
        ),
      );
    }
    seen.add(pair);
  }
}

function checkAmounts(status: Status | undefined, out: FieldErrors): void {
  for (const list of ['capacity', 'allocatable'] as const) {
    const amounts = status?.[list];
    if (amounts === undefined) continue;
    for (const name of sortedKeys(amounts)) checkResourceQuantity(name, amounts[name] ?? '0', `status.${list}.${name}`, out);
  }
}

function checkPodCidrs(cidrs: readonly string[] | undefined, out: FieldErrors): void {
  if (cidrs === undefined || cidrs.length === 0) return;
  for (const [i, cidr] of cidrs.entries()) checkCidr(cidr, `spec.podCIDRs[${i}]`, out);
  if (cidrs.length < 2) return;
  const v6 = cidrs.filter((cidr) => parseCidr(cidr)?.bytes.length === 16).length;
  if (cidrs.length > 2 || v6 !== 1) out.push(invalid('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family'));
  for (const [i, cidr] of cidrs.entries()) if (cidrs.indexOf(cidr) < i) out.push(duplicate(`spec.podCIDRs[${i}]`, cidr));
}

function validate({ metadata, spec, status }: Node): FieldErrors {
  const out: FieldErrors = [];
  checkMetadata(metadata, rule, out);
  checkTaints(spec?.taints, out);
  checkAmounts(status, out);
  checkPodCidrs(spec?.podCIDRs, out);
  return out;
}

/** ValidateNodeUpdate: of the main resource and of its status alike. */
function checkUpdate(next: Node, previous: Node, out: FieldErrors): void {
  checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
  if (next.status !== previous.status) {
    checkAmounts(next.status, out);
    const addresses = next.status?.addresses ?? [];
    for (const [i, address] of addresses.entries()) {
      if (addresses.findIndex((a) => a.type === address.type && a.address === address.address) < i) {
        out.push(duplicate(`status.addresses[${i}]`, { Type: address.type, Address: address.address }));
      }
    }
  }
  if (next.spec === previous.spec) return;
  const before = previous.spec?.podCIDRs ?? [];
  const after = next.spec?.podCIDRs ?? [];
  const cidrDetail = 'node updates may not change podCIDR except from "" to valid';
  if (before.length > 0) {
    if (before.length !== after.length) out.push(forbidden('spec.podCIDRs', cidrDetail));
    else for (const [i, cidr] of before.entries()) if (after[i] !== cidr) out.push(forbidden('spec.podCIDRs', cidrDetail));
  }
  const provider = previous.spec?.providerID ?? '';
  if (provider !== '' && provider !== next.spec?.providerID) {
    out.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  }
  checkTaints(next.spec?.taints, out);
  if ((next.spec?.externalID ?? '') !== (previous.spec?.externalID ?? '')) out.push(forbidden('spec.externalID', 'may not be updated'));
}

function statusText({ spec, status }: Node): string {
  const ready = status?.conditions?.find((c) => c.type === 'Ready');
  const texts = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'];
  if (spec?.unschedulable === true) texts.push('SchedulingDisabled');
  return texts.join(',');
}

function roles({ metadata }: Node): string {
  const found = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith('node-role.kubernetes.io/')) {
      const role = key.slice('node-role.kubernetes.io/'.length);
      if (role !== '') found.add(role);
    } else if (key === 'kubernetes.io/role' && value !== '') found.add(value);
  }
  return found.size === 0 ? none : [...found].sort().join(',');
}

const addressOf =
  (type: string) =>
  ({ status }: Node): string =>
    status?.addresses?.find((a) => a.type === type)?.address ?? none;
const known = (text: string | undefined): string => (text === undefined || text === '' ? '<unknown>' : text);

export const node = defineKind<Node>('v1', 'nodes', {
  setDefaults,
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: statusUpdate,
  validate,
  validateUpdate(next, previous) {
    const out: FieldErrors = next.spec === previous.spec && next.metadata === previous.metadata ? [] : validate(next);
    checkUpdate(next, previous, out);
    return out;
  },
  validateStatusUpdate(next, previous) {
    const out: FieldErrors = [];
    checkUpdate(next, previous, out);
    return out;
  },
  fieldNames: ['spec.unschedulable'],
  fields: ({ spec }) => ({ 'spec.unschedulable': String(spec?.unschedulable ?? false) }),
  columns: columns<Node>('nodes', [
    ['Status', 'string', statusText],
    ['Roles', 'string', roles],
    age(),
    ['Version', 'string', ({ status }) => status?.nodeInfo?.kubeletVersion ?? ''],
    ['Internal-IP', 'string', addressOf('InternalIP'), 1],
    ['External-IP', 'string', addressOf('ExternalIP'), 1],
    ['OS-Image', 'string', ({ status }) => known(status?.nodeInfo?.osImage), 1],
    ['Kernel-Version', 'string', ({ status }) => known(status?.nodeInfo?.kernelVersion), 1],
    ['Container-Runtime', 'string', ({ status }) => known(status?.nodeInfo?.containerRuntimeVersion), 1],
  ]),
});
