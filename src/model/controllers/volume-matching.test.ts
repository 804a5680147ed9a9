import { describe, expect, it } from 'vitest';
import type { PersistentVolumeClaim, StorageClass } from '../api/types.ts';
import { withDefaultClass } from './volume-matching.ts';

function claim(storageClassName?: string): PersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'c', namespace: 'd' },
    spec: { accessModes: ['ReadWriteOnce'], ...(storageClassName === undefined ? {} : { storageClassName }) },
  };
}

function storageClass(name: string, second: number, isDefault: boolean): StorageClass {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name,
      creationTimestamp: `2026-01-01T00:00:0${second}Z`,
      ...(isDefault ? { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } : {}),
    },
    provisioner: 'x.example/y',
  };
}

describe('a default class that came after the claim', () => {
  const classes = [storageClass('a', 1, true), storageClass('b', 2, true), storageClass('c', 2, true), storageClass('d', 3, false)];

  it('is given to a claim without any: the newest, of equally old ones the first by name (KEP-3333)', () => {
    expect(withDefaultClass(claim(), classes)?.spec?.storageClassName).toBe('b');
  });

  it('is not given to a claim that wants none, or where there is none', () => {
    expect(withDefaultClass(claim(''), classes)).toBeUndefined();
    expect(withDefaultClass(claim(), [storageClass('d', 3, false)])).toBeUndefined();
  });
});
