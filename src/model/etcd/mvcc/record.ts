import { finalize32, hashText, mixWord } from '../../../sim/mix.ts';
import type { KeyValue } from '../api.ts';
import { valueSizeBytes } from '../keys.ts';

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
  /** The live row that it replaces, if any. */
  readonly previous: KeyRecord | undefined;
  readonly modRevision: number;
  readonly sub: number;
  readonly lease: bigint;
}

/** What a put says about the value that it writes. */
export interface PutValue {
  readonly value: unknown;
  readonly sizeBytes: number | undefined;
  readonly valueHash: number | undefined;
}

/** The row of a put. */
export function putRecord(fields: PutFields, write: PutValue): KeyRecord {
  const { previous, modRevision, sub, lease } = fields;
  const createRevision = previous === undefined ? modRevision : previous.createRevision;
  const version = previous === undefined ? 1 : previous.version + 1;
  const valueHash = hashValue(write.value, write.valueHash);
  return {
    key: fields.key,
    createRevision,
    modRevision,
    version,
    value: write.value,
    lease,
    sizeBytes: valueSizeBytes(write.value, write.sizeBytes),
    sub,
    hash: rowHash(fields.keyHash, createRevision, modRevision, version, sub, valueHash, lease),
    valueHash,
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
    hash: rowHash(keyHash, 0, modRevision, 0, sub, 0, 0n),
    valueHash: 0,
  };
}

// Seven numbers in a row, because this runs for every row and an object for them would cost as much as the hash.
function rowHash(
  keyHash: number,
  createRevision: number,
  modRevision: number,
  version: number,
  sub: number,
  valueHash: number,
  lease: bigint,
): number {
  let h = mixWord(keyHash, modRevision);
  h = mixWord(h, createRevision);
  h = mixWord(h, version);
  h = mixWord(h, sub);
  h = mixWord(h, valueHash);
  if (lease !== 0n) h = mixWord(h, Number(BigInt.asIntN(32, lease)));
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
