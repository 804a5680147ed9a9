import { finalize32, hashText, mixWord } from '../../../sim/mix.ts';
import type { KeyValue } from '../api.ts';

/**
 * One row of the backend's key bucket: a key's value at a revision, or its tombstone. A row is the API's KeyValue itself, so reads and
 * watches hand out references. A tombstone has only key and modification revision, as etcd stores it.
 */
export interface KeyRecord extends KeyValue {
  /** Position among the changes of one revision (mvcc.Revision.Sub). */
  readonly sub: number;
  /** Content hash, computed once when the row is written; HashKV sums these. */
  readonly hash: number;
  /** Content hash of the value alone, carried on when a later put keeps the value. */
  readonly valueHash: number;
}

/** Whether the row is a deletion. */
export function isTombstone(record: KeyValue): boolean {
  return record.version === 0;
}

/** What a put writes. */
export interface PutFields {
  readonly key: string;
  readonly keyHash: number;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly sub: number;
  readonly version: number;
  readonly value: unknown;
  readonly sizeBytes: number;
  readonly valueHash: number;
  readonly lease: bigint;
}

/** The row of a put. */
export function putRecord(fields: PutFields): KeyRecord {
  return {
    key: fields.key,
    createRevision: fields.createRevision,
    modRevision: fields.modRevision,
    version: fields.version,
    value: fields.value,
    lease: fields.lease,
    sizeBytes: fields.sizeBytes,
    sub: fields.sub,
    hash: rowHash(fields),
    valueHash: fields.valueHash,
  };
}

/** The row of a deletion. */
export function tombstoneRecord(key: string, keyHash: number, modRevision: number, sub: number): KeyRecord {
  return {
    key,
    createRevision: 0,
    modRevision,
    version: 0,
    value: undefined,
    lease: 0n,
    sizeBytes: 0,
    sub,
    hash: rowHash({ keyHash, createRevision: 0, modRevision, sub, version: 0, valueHash: 0, lease: 0n }),
    valueHash: 0,
  };
}

type HashedFields = Pick<PutFields, 'keyHash' | 'createRevision' | 'modRevision' | 'sub' | 'version' | 'valueHash' | 'lease'>;

function rowHash(fields: HashedFields): number {
  let h = mixWord(fields.keyHash, fields.modRevision);
  h = mixWord(h, fields.createRevision);
  h = mixWord(h, fields.version);
  h = mixWord(h, fields.sub);
  h = mixWord(h, fields.valueHash);
  if (fields.lease !== 0n) h = mixWord(h, Number(BigInt.asIntN(32, fields.lease)));
  return finalize32(h);
}

/** Content hash of a value: text and bytes are hashed, for any other reference the writer's statement counts. */
export function hashValue(value: unknown, stated: number | undefined): number {
  if (stated !== undefined) return stated;
  if (typeof value === 'string') return hashText(value);
  if (value instanceof Uint8Array) {
    let h = 0;
    for (const byte of value) h = mixWord(h, byte);
    return finalize32(h ^ value.length);
  }
  return 0;
}
