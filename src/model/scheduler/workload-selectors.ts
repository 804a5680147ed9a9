import { type LabelRequirement, type ParsedLabelSelector, labelsMatch, selectorOf } from '../api/label-selector.ts';
import type { OwnerReference } from '../api/object.ts';
import type { Pod, ReplicaSet, ReplicationController, Service, StatefulSet } from '../api/types.ts';

/** The owners and services that say which pods belong together, as the scheduler's informers know them. */
export interface WorkloadLister {
  readonly services: (namespace: string) => readonly Service[];
  readonly replicationController: (namespace: string, name: string) => ReplicationController | undefined;
  readonly replicaSet: (namespace: string, name: string) => ReplicaSet | undefined;
  readonly statefulSet: (namespace: string, name: string) => StatefulSet | undefined;
}

function byLabels(labels: { readonly [key: string]: string } | undefined): LabelRequirement[] {
  return labels === undefined
    ? []
    : Object.keys(labels)
        .sort()
        .map((key) => ({ key, operator: '=', values: [labels[key] as string] }));
}

function ofOwner(owner: OwnerReference | undefined, namespace: string, lister: WorkloadLister): ParsedLabelSelector {
  switch (owner === undefined ? '' : `${owner.apiVersion}/${owner.kind}`) {
    case 'v1/ReplicationController':
      return byLabels(lister.replicationController(namespace, owner?.name ?? '')?.spec?.selector);
    case 'apps/v1/ReplicaSet': {
      const set = lister.replicaSet(namespace, owner?.name ?? '');
      return set === undefined ? [] : selectorOf(set.spec.selector);
    }
    case 'apps/v1/StatefulSet': {
      const set = lister.statefulSet(namespace, owner?.name ?? '');
      return set === undefined ? [] : selectorOf(set.spec.selector);
    }
    default:
      return [];
  }
}

/** Upstream helper.DefaultSelector: everything that a pod's services and its controller ask for, together; empty where there is none. */
export function defaultSelector(pod: Pod, lister: WorkloadLister): ParsedLabelSelector {
  const namespace = pod.metadata.namespace ?? '';
  const labels: { [key: string]: string } = {};
  for (const service of lister.services(namespace)) {
    const selector = service.spec?.selector;
    if (selector === undefined || Object.keys(selector).length === 0) continue;
    if (labelsMatch(byLabels(selector), pod.metadata.labels)) Object.assign(labels, selector);
  }
  const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller === true);
  const requirements = [...byLabels(labels), ...ofOwner(owner, namespace, lister)];
  return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}
