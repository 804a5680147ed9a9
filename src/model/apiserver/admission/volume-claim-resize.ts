import { compareQuantity, quantityOf } from '../../api/quantity.ts';
import { forbidden } from '../../api/status.ts';
import type { PersistentVolumeClaim, StorageClass } from '../../api/types.ts';
import { refuse } from '../refusal.ts';
import type { AdmissionPlugin } from '../server-context.ts';
import { cachedOne, kindNamed } from './lookup.ts';

const classAnnotation = 'volume.beta.kubernetes.io/storage-class';

function classOf({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata.annotations?.[classAnnotation] ?? spec?.storageClassName ?? '';
}

function sizeOf({ spec }: PersistentVolumeClaim): string {
  return spec?.resources?.requests?.['storage'] ?? '0';
}

/** PersistentVolumeClaimResize: claims grow only when they are bound and their class allows it. */
export const persistentVolumeClaimResize: AdmissionPlugin = {
  name: 'PersistentVolumeClaimResize',
  handles: ({ kind, operation, subresource }) => kind.kind === 'PersistentVolumeClaim' && operation === 'UPDATE' && subresource === '',
  *validate(request, server) {
    const next = request.object as unknown as PersistentVolumeClaim | undefined;
    const previous = request.oldObject as unknown as PersistentVolumeClaim | undefined;
    if (next === undefined || previous === undefined || next.spec === previous.spec) return;
    if (compareQuantity(quantityOf(sizeOf(next)), quantityOf(sizeOf(previous))) <= 0) return;
    const refused = (why: string): never => refuse(forbidden(request.kind, previous.metadata.name ?? '', why));
    if (previous.status?.phase !== 'Bound') refused('Only bound persistent volume claims can be expanded');
    const name = classOf(next);
    const classes = kindNamed(server, 'storage.k8s.io', 'v1', 'storageclasses');
    const storageClass = name === '' || name !== classOf(previous) ? undefined : yield* cachedOne(server, classes, '', name);
    if ((storageClass as unknown as StorageClass | undefined)?.allowVolumeExpansion !== true) {
      refused('only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize');
    }
  },
};
