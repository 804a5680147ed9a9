import type { UntypedObject } from '../../api/object.ts';
import { parseTime } from '../../api/time.ts';
import type { Ingress, Node, PersistentVolumeClaim } from '../../api/types.ts';
import type { AdmissionPlugin } from '../server-context.ts';
import { cachedAll, cachedOne, kindNamed } from './lookup.ts';

const protections: Readonly<Record<string, string>> = {
  PersistentVolumeClaim: 'kubernetes.io/pvc-protection',
  PersistentVolume: 'kubernetes.io/pv-protection',
  VolumeAttributesClass: 'kubernetes.io/vac-protection',
};

/** StorageObjectInUseProtection: claims and volumes are born with a finalizer. */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  handles: ({ kind, operation, subresource }) => operation === 'CREATE' && subresource === '' && protections[kind.kind] !== undefined,
  // biome-ignore lint/correctness/useYield: a task that answers at once
  *admit({ object, kind }) {
    const finalizer = protections[kind.kind] ?? '';
    const finalizers = object?.metadata.finalizers ?? [];
    if (object === undefined || finalizers.includes(finalizer)) return object;
    return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
  },
};

/** TaintNodesByCondition: a new node is not ready until its kubelet says otherwise. */
export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  handles: ({ kind, operation, subresource }) => kind.kind === 'Node' && operation === 'CREATE' && subresource === '',
  *admit({ object }) {
    const node = object as Node | undefined;
    const taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
    const taints = node?.spec?.taints ?? [];
    if (node === undefined || taints.some((t) => t.key === taint.key && t.effect === taint.effect)) return object;
    return { ...node, spec: { ...node.spec, taints: [...taints, taint] } } as unknown as UntypedObject;
  },
};

const topologyLabels = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

/** PodTopologyLabels (KEP-4742) of pods that are created on a node; those that are bound get theirs by the binding. */
export const podTopologyLabels: AdmissionPlugin = {
  name: 'PodTopologyLabels',
  handles: ({ kind, operation, subresource }) => kind.kind === 'Pod' && operation === 'CREATE' && subresource === '',
  *admit({ object }, server) {
    const nodeName = (object?.['spec'] as { readonly nodeName?: string } | undefined)?.nodeName ?? '';
    if (object === undefined || nodeName === '') return object;
    const node = yield* cachedOne(server, kindNamed(server, '', 'v1', 'nodes'), '', nodeName);
    const labels: Record<string, string> = {};
    for (const key of topologyLabels) {
      const value = node?.metadata.labels?.[key];
      if (value !== undefined) labels[key] = value;
    }
    if (Object.keys(labels).length === 0) return object;
    return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, ...labels } } };
  },
};

/** The newest object that is annotated as default; the first by name among equally old ones. */
function newestDefault(objects: readonly UntypedObject[], annotations: readonly string[]): UntypedObject | undefined {
  let chosen: UntypedObject | undefined;
  const age = (object: UntypedObject): number => parseTime(object.metadata.creationTimestamp ?? '') ?? 0;
  for (const object of objects) {
    if (!annotations.some((key) => object.metadata.annotations?.[key] === 'true')) continue;
    if (chosen === undefined || age(object) > age(chosen)) chosen = object;
  }
  return chosen;
}

/** DefaultStorageClass. */
export const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  handles: ({ kind, operation, subresource }) => kind.kind === 'PersistentVolumeClaim' && operation === 'CREATE' && subresource === '',
  *admit({ object }, server) {
    const claim = object as unknown as PersistentVolumeClaim | undefined;
    if (
      claim === undefined ||
      claim.spec.storageClassName !== undefined ||
      claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] !== undefined
    )
      return object;
    const classes = yield* cachedAll(server, kindNamed(server, 'storage.k8s.io', 'v1', 'storageclasses'), undefined);
    const chosen = newestDefault(classes, [
      'storageclass.kubernetes.io/is-default-class',
      'storageclass.beta.kubernetes.io/is-default-class',
    ]);
    if (chosen === undefined) return object;
    return { ...claim, spec: { ...claim.spec, storageClassName: chosen.metadata.name ?? '' } } as unknown as UntypedObject;
  },
};

/** DefaultIngressClass. */
export const defaultIngressClass: AdmissionPlugin = {
  name: 'DefaultIngressClass',
  handles: ({ kind, operation, subresource }) => kind.kind === 'Ingress' && operation === 'CREATE' && subresource === '',
  *admit({ object }, server) {
    const ingress = object as unknown as Ingress | undefined;
    if (
      ingress === undefined ||
      ingress.spec?.ingressClassName !== undefined ||
      ingress.metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined
    )
      return object;
    const classes = yield* cachedAll(server, kindNamed(server, 'networking.k8s.io', 'v1', 'ingressclasses'), undefined);
    const chosen = newestDefault(classes, ['ingressclass.kubernetes.io/is-default-class']);
    if (chosen === undefined) return object;
    return { ...ingress, spec: { ...ingress.spec, ingressClassName: chosen.metadata.name ?? '' } } as unknown as UntypedObject;
  },
};
