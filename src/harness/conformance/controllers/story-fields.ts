import type { UntypedObject } from '../../../model/api/object.ts';
import type { Naming } from './naming.ts';

type Fields = { readonly [key: string]: unknown };

/** Labels that the recordings leave out. */
const hiddenLabels = new Set(['golden/scenario']);

function at(object: unknown, path: readonly string[]): unknown {
  let value = object;
  for (const key of path) value = typeof value === 'object' && value !== null ? (value as Fields)[key] : undefined;
  return value;
}

function list(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? (value as readonly Fields[]) : [];
}

function joined(parts: readonly unknown[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(' | ');
}

function labelsText(labels: { readonly [key: string]: string } | undefined, naming: Naming): string {
  return Object.keys(labels ?? {})
    .filter((key) => !hiddenLabels.has(key))
    .sort()
    .map((key) => `${key}=${naming.text(labels?.[key] ?? '')}`)
    .join(',');
}

function conditionText(object: UntypedObject, type: string, naming: Naming): string | undefined {
  const condition = list(at(object, ['status', 'conditions'])).find((entry) => entry.type === type);
  if (condition === undefined) return undefined;
  if (object.kind === 'Pod' && type === 'Ready') return String(condition.status);
  if (object.kind === 'PodDisruptionBudget') return joined([condition.status, condition.reason]);
  return naming.text(joined([condition.status, condition.reason, condition.message]));
}

function ownersText(object: UntypedObject, naming: Naming): string | undefined {
  const owners = object.metadata.ownerReferences;
  if (owners === undefined || owners.length === 0) return undefined;
  return owners
    .map(
      (owner) =>
        `${owner.kind}/${naming.text(owner.name)}${owner.controller === true ? ' controller' : ''}${owner.blockOwnerDeletion === true ? ' block' : ''}`,
    )
    .join('; ');
}

function endpointText(endpoint: Fields, naming: Naming): string {
  const conditions = (endpoint.conditions ?? {}) as Fields;
  const hints = endpoint.hints as
    | { readonly forZones?: readonly { readonly name: string }[]; readonly forNodes?: readonly { readonly name: string }[] }
    | undefined;
  const target = endpoint.targetRef as Fields | undefined;
  const parts = [
    conditions.ready === true ? 'ready' : 'notready',
    conditions.serving === true ? 'serving' : 'notserving',
    conditions.terminating === true ? 'terminating' : '',
    endpoint.nodeName === undefined ? '' : `node=${endpoint.nodeName}`,
    endpoint.zone === undefined ? '' : `zone=${endpoint.zone}`,
    endpoint.hostname === undefined ? '' : `hostname=${endpoint.hostname}`,
    target === undefined ? '' : `${target.kind}/${naming.text(String(target.name))}`,
    hints?.forZones === undefined ? '' : `hints=${hints.forZones.map((zone) => zone.name).join(',')}`,
    hints?.forNodes === undefined ? '' : `nodehints=${hints.forNodes.map((node) => node.name).join(',')}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function addressesOf(endpoint: Fields, naming: Naming): string {
  return (endpoint.addresses as readonly string[]).map((address) => naming.text(address)).join(',');
}

function portText(port: Fields, withProtocol = true): string {
  return `${port.name ?? ''}:${port.port}/${port.protocol ?? 'TCP'}${port.appProtocol === undefined || !withProtocol ? '' : ` ${port.appProtocol}`}`;
}

function subsetText(subset: Fields, naming: Naming): string {
  const ips = (value: unknown): string =>
    list(value)
      .map((address) => naming.text(String(address.ip)))
      .sort(byNumber)
      .join(' ');
  return `ready[${ips(subset.addresses)}] notReady[${ips(subset.notReadyAddresses)}] ports[${list(subset.ports)
    .map((port) => portText(port, false))
    .join(',')}]`;
}

/** By name, numbers of generated names as numbers: `web-a-<2>`, `web-a-<10>`, `web-b-<1>`. */
export function byNumber(a: string, b: string): number {
  const split = (text: string): readonly [string, number] => {
    const match = /<(\d+)>/.exec(text);
    return match === null ? [text, 0] : [text.slice(0, match.index), Number(match[1])];
  };
  const [nameA, numberA] = split(a);
  const [nameB, numberB] = split(b);
  if (nameA !== nameB) return nameA < nameB ? -1 : 1;
  return numberA - numberB || (a < b ? -1 : a > b ? 1 : 0);
}

function statusField(object: UntypedObject, field: string, naming: Naming, startWallUs: number): unknown {
  const value = at(object, ['status', field]);
  if (value === undefined || value === null) return undefined;
  if (field === 'currentMetrics' && list(value).length === 0) return undefined;
  switch (field) {
    case 'uncountedTerminatedPods':
      return `succeeded ${list((value as Fields).succeeded).length} failed ${list((value as Fields).failed).length}`;
    case 'startTime':
    case 'completionTime':
    case 'lastSuccessfulTime':
    case 'lastScaleTime':
    case 'lastPhaseTransitionTime':
      return '<set>';
    case 'lastScheduleTime': {
      const minutes = (Date.parse(String(value)) - Math.floor(startWallUs / 60e6) * 60e3) / 60e3;
      return `start+${minutes}min`;
    }
    case 'active':
      return Array.isArray(value) ? (value.length === 0 ? undefined : list(value).map((entry) => naming.text(String(entry.name)))) : value;
    case 'disruptedPods': {
      const names = Object.keys(value as Fields).map((name) => naming.text(name));
      return names.length === 0 ? undefined : names;
    }
    default:
      return typeof value === 'string' ? naming.text(value) : value;
  }
}

/** Where the API's absence is worth a value in the recordings. */
function withDefault(object: UntypedObject, field: string, value: unknown): unknown {
  if (value !== undefined) return value;
  if (object.kind === 'CronJob' && field === 'status.active') return null;
  if (field === 'spec.suspend' || field === 'unschedulable') return false;
  if (
    field === 'status.replicas' &&
    (object.kind === 'ReplicaSet' || object.kind === 'StatefulSet' || object.kind === 'ReplicationController')
  )
    return 0;
  return undefined;
}

/** The value of one story field of an object as the recordings write it; undefined where the object has none. */
export function storyField(object: UntypedObject, field: string, naming: Naming, startWallUs: number): unknown {
  const { metadata } = object;
  if (field.startsWith('status.')) {
    if (field === 'status.phase') return at(object, ['status', 'phase']);
    return withDefault(object, field, statusField(object, field.slice('status.'.length), naming, startWallUs));
  }
  if (field.startsWith('spec.')) return withDefault(object, field, at(object, field.split('.')));
  if (field.startsWith('annotation ')) {
    const value = metadata.annotations?.[field.slice('annotation '.length)];
    return value === undefined ? undefined : naming.text(value);
  }
  if (field.startsWith('condition ')) return conditionText(object, field.slice('condition '.length), naming);
  if (field.startsWith('endpoint ')) {
    const wanted = field.slice('endpoint '.length);
    const endpoint = list(object.endpoints).find((entry) => addressesOf(entry, naming) === wanted);
    return endpoint === undefined ? undefined : endpointText(endpoint, naming);
  }
  switch (field) {
    case 'labels':
      return labelsText(metadata.labels, naming);
    case 'owners':
      return ownersText(object, naming);
    case 'finalizers':
      return (metadata.finalizers ?? []).length === 0 ? undefined : metadata.finalizers?.join(',');
    case 'deleting':
      if (metadata.deletionTimestamp === undefined) return undefined;
      return object.kind === 'Namespace' ? true : (metadata.deletionGracePeriodSeconds ?? 0);
    case 'generation':
      return metadata.generation;
    case 'phase':
      return at(object, ['status', 'phase']);
    case 'reason':
      return at(object, ['status', 'reason']);
    case 'nominatedNodeName':
      return at(object, ['status', 'nominatedNodeName']);
    case 'node':
      return at(object, ['spec', 'nodeName']);
    case 'deletionCost':
      return metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'];
    case 'restarts': {
      const total = list(at(object, ['status', 'containerStatuses'])).reduce((sum, status) => sum + Number(status.restartCount ?? 0), 0);
      return total === 0 ? undefined : total;
    }
    case 'type':
      return at(object, ['spec', 'type']);
    case 'addressType':
      return object.addressType;
    case 'size':
      return list(object.endpoints).length;
    case 'ports':
      return list(object.ports)
        .map((port) => portText(port))
        .join(',');
    case 'endpoints':
      return Object.fromEntries(
        list(object.endpoints)
          .map((entry) => [addressesOf(entry, naming), endpointText(entry, naming)] as const)
          .sort(([a], [b]) => byNumber(a, b)),
      );
    case 'subsets':
      return list(object.subsets).map((subset) => subsetText(subset, naming));
    case 'taints':
      return list(at(object, ['spec', 'taints']))
        .map((taint) => `${taint.key}${taint.value === undefined || taint.value === '' ? '' : `=${taint.value}`}:${taint.effect}`)
        .sort()
        .join(',');
    case 'unschedulable':
      return at(object, ['spec', 'unschedulable']) ?? false;
    case 'holder':
      return at(object, ['spec', 'holderIdentity']) === '' ? '' : '<identity>';
    case 'leaseDurationSeconds':
    case 'leaseTransitions':
      return at(object, ['spec', field]) ?? 0;
    case 'specFinalizers':
      return (at(object, ['spec', 'finalizers']) as readonly string[] | undefined)?.join(',');
    case 'claimRef': {
      const reference = at(object, ['spec', 'claimRef']) as Fields | undefined;
      return reference === undefined ? undefined : `${reference.namespace}/${reference.name}${reference.uid === undefined ? '' : ' uid'}`;
    }
    case 'volumeName':
      return at(object, ['spec', 'volumeName']);
    case 'revision':
      return object.revision;
    case 'keys':
      return Object.keys((object.data ?? {}) as Fields)
        .sort()
        .join(',');
    default:
      return undefined;
  }
}
