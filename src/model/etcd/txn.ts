import type {
  Compare,
  CompareResult,
  DeleteRangeRequest,
  KeyValue,
  PutRequest,
  RangeRequest,
  RangeResponse,
  RequestOp,
  ResponseOp,
  SortTarget,
  TxnRequest,
} from './api.ts';
import { type EtcdError, etcdError, isError, type Result } from './errors.ts';
import { compareKeys } from './keys.ts';
import type { MvccStore, WriteTxn } from './mvcc/store.ts';

/** What a txn needs besides the store. */
export interface LeaseLookup {
  has(id: bigint): boolean;
}

type WithoutHeader<T> = Omit<T, 'header'> & { readonly header: { readonly revision: number } };

/** Reads a range with all its options (txn.executeRange). */
export function executeRange(store: MvccStore, request: RangeRequest): Result<WithoutHeader<RangeResponse>> {
  const filtered =
    (request.minModRevision ?? 0) !== 0 ||
    (request.maxModRevision ?? 0) !== 0 ||
    (request.minCreateRevision ?? 0) !== 0 ||
    (request.maxCreateRevision ?? 0) !== 0;
  const order = request.sortOrder ?? 'NONE';
  const target = request.sortTarget ?? 'KEY';
  const sorted = order !== 'NONE' || target !== 'KEY';
  const wanted = Math.max(request.limit ?? 0, 0);
  const limit = filtered || sorted || wanted === 0 ? 0 : wanted + 1;
  const result = store.range(request.key, request.rangeEnd ?? '', {
    revision: request.revision ?? 0,
    limit,
    countOnly: request.countOnly === true,
  });
  if (isError(result)) return result;
  let kvs = result.kvs;
  if (filtered) kvs = kvs.filter((kv) => passes(request, kv));
  // Rows come in order of keys; a target without an order sorts ascending.
  if (sorted && !(target === 'KEY' && order === 'ASCEND')) kvs = sortKvs(kvs, target, order === 'DESCEND');
  let more = false;
  if (wanted > 0 && kvs.length > wanted) {
    kvs = kvs.slice(0, wanted);
    more = true;
  }
  if (request.keysOnly === true) kvs = kvs.map(withoutValue);
  return { header: { revision: result.revision }, kvs, more, count: result.count };
}

function passes(request: RangeRequest, kv: KeyValue): boolean {
  const { minModRevision = 0, maxModRevision = 0, minCreateRevision = 0, maxCreateRevision = 0 } = request;
  if (maxModRevision !== 0 && kv.modRevision > maxModRevision) return false;
  if (minModRevision !== 0 && kv.modRevision < minModRevision) return false;
  if (maxCreateRevision !== 0 && kv.createRevision > maxCreateRevision) return false;
  return !(minCreateRevision !== 0 && kv.createRevision < minCreateRevision);
}

function sortKvs(kvs: readonly KeyValue[], target: SortTarget, descending: boolean): readonly KeyValue[] {
  const ascending = comparatorOf(target);
  return [...kvs].sort(descending ? (a, b) => ascending(b, a) : ascending);
}

function comparatorOf(target: SortTarget): (a: KeyValue, b: KeyValue) => number {
  switch (target) {
    case 'KEY':
      return (a, b) => compareKeys(a.key, b.key);
    case 'VERSION':
      return (a, b) => a.version - b.version;
    case 'CREATE':
      return (a, b) => a.createRevision - b.createRevision;
    case 'MOD':
      return (a, b) => a.modRevision - b.modRevision;
    case 'VALUE':
      return (a, b) => compareValues(a.value, b.value);
  }
}

/** Values compare by bytes where they are text; anything else only as equal or not. */
function compareValues(a: unknown, b: unknown): number {
  if (a === b) return 0;
  return compareKeys(typeof a === 'string' ? a : '', typeof b === 'string' ? b : '');
}

function withoutValue(kv: KeyValue): KeyValue {
  const { key, createRevision, modRevision, version, lease } = kv;
  return { key, createRevision, modRevision, version, value: undefined, lease, sizeBytes: 0 };
}

/** Whether a put may be applied: its lease must exist, and a key whose value or lease it keeps (txn.checkPut). */
export function checkPut(store: MvccStore, leases: LeaseLookup, request: PutRequest): EtcdError | undefined {
  const keeps = request.ignoreValue === true || request.ignoreLease === true;
  if (keeps && store.get(request.key) === undefined) return etcdError('keyNotFound');
  const lease = request.lease ?? 0n;
  return lease !== 0n && !leases.has(lease) ? etcdError('leaseNotFound') : undefined;
}

/** Writes a value; `checkPut` has passed. */
export function executePut(
  store: MvccStore,
  txn: WriteTxn,
  request: PutRequest,
): { readonly header: { readonly revision: number }; readonly prevKv?: KeyValue } {
  const ignoreValue = request.ignoreValue === true;
  const ignoreLease = request.ignoreLease === true;
  const previous = ignoreValue || ignoreLease || request.prevKv === true ? store.get(request.key) : undefined;
  const write =
    ignoreValue && previous !== undefined
      ? { value: previous.value, sizeBytes: previous.sizeBytes, valueHash: previous.valueHash }
      : { value: request.value, sizeBytes: request.sizeBytes, valueHash: request.valueHash };
  const lease = ignoreLease && previous !== undefined ? previous.lease : (request.lease ?? 0n);
  const header = { revision: txn.put(request.key, write, lease) };
  return request.prevKv === true && previous !== undefined ? { header, prevKv: previous } : { header };
}

/** Deletes a range. */
export function executeDelete(
  store: MvccStore,
  txn: WriteTxn,
  request: DeleteRangeRequest,
): { readonly header: { readonly revision: number }; readonly deleted: number; readonly prevKvs: readonly KeyValue[] } {
  const rangeEnd = request.rangeEnd ?? '';
  let prevKvs: readonly KeyValue[] = [];
  if (request.prevKv === true) {
    const result = store.range(request.key, rangeEnd, { revision: 0, limit: 0, countOnly: false });
    if (!isError(result)) prevKvs = result.kvs;
  }
  const { deleted, revision } = txn.deleteRange(request.key, rangeEnd);
  return { header: { revision }, deleted, prevKvs };
}

/**
 * Runs a txn: all compares, inner ones too, on the state before it; then all checks of the branches taken; then the operations. So a
 * refused txn has changed nothing. `write` is called once if the txn may write, and ended here.
 */
export function executeTxn(
  store: MvccStore,
  leases: LeaseLookup,
  request: TxnRequest,
  readOnly: boolean,
): Result<{ readonly revision: number; readonly succeeded: boolean; readonly responses: readonly ResponseOp[] }> {
  const path: boolean[] = [];
  comparePath(store, request, path);
  const refused =
    checkOps(path, request, { at: 0 }, (op) => (op.type === 'put' ? checkPut(store, leases, op) : undefined)) ??
    checkOps(path, request, { at: 0 }, (op) => (op.type === 'range' ? checkRevision(store, op) : undefined));
  if (refused !== undefined) return refused;
  const txn = readOnly ? undefined : store.write();
  const before = store.revision;
  const responses = runOps(store, txn, path, request, { at: 0 });
  const changed = txn !== undefined && txn.changes.length > 0;
  txn?.end();
  return { revision: changed ? before + 1 : before, succeeded: path[0] === true, responses };
}

function branch(request: TxnRequest, taken: boolean): readonly RequestOp[] {
  return (taken ? request.success : request.failure) ?? [];
}

/** Which branch each txn of the taken path goes, outer before inner (compareToPath). */
function comparePath(store: MvccStore, request: TxnRequest, path: boolean[]): void {
  const taken = (request.compare ?? []).every((compare) => holds(store, compare));
  path.push(taken);
  for (const op of branch(request, taken)) if (op.type === 'txn') comparePath(store, op, path);
}

interface Cursor {
  at: number;
}

function checkOps(
  path: readonly boolean[],
  request: TxnRequest,
  cursor: Cursor,
  check: (op: RequestOp) => EtcdError | undefined,
): EtcdError | undefined {
  for (const op of branch(request, path[cursor.at++] === true)) {
    const refused = op.type === 'txn' ? checkOps(path, op, cursor, check) : check(op);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function checkRevision(store: MvccStore, request: RangeRequest): EtcdError | undefined {
  const revision = request.revision ?? 0;
  if (revision === 0) return undefined;
  if (revision > store.revision) return etcdError('futureRevision');
  return revision < store.compactRevision ? etcdError('compacted') : undefined;
}

function runOps(
  store: MvccStore,
  txn: WriteTxn | undefined,
  path: readonly boolean[],
  request: TxnRequest,
  cursor: Cursor,
): readonly ResponseOp[] {
  const responses: ResponseOp[] = [];
  for (const op of branch(request, path[cursor.at++] === true)) {
    switch (op.type) {
      case 'range': {
        const response = executeRange(store, op);
        // Its revision was checked before anything was written, so nothing is left that can fail.
        if (!isError(response)) responses.push({ type: 'range', response });
        break;
      }
      case 'put':
        if (txn !== undefined) responses.push({ type: 'put', response: executePut(store, txn, op) });
        break;
      case 'deleteRange':
        if (txn !== undefined) responses.push({ type: 'deleteRange', response: executeDelete(store, txn, op) });
        break;
      case 'txn': {
        const succeeded = path[cursor.at] === true;
        const inner = runOps(store, txn, path, op, cursor);
        responses.push({ type: 'txn', response: { header: { revision: 0 }, succeeded, responses: inner } });
        break;
      }
      case 'none':
        break;
    }
  }
  return responses;
}

/** applyCompare: every key of the range must pass; no key is like one missing key, which no value compare accepts. */
function holds(store: MvccStore, compare: Compare): boolean {
  const result = store.range(compare.key, compare.rangeEnd ?? '', { revision: 0, limit: 0, countOnly: false });
  if (isError(result)) return false;
  if (result.kvs.length === 0) return compare.target !== 'VALUE' && matches(compare, undefined);
  return result.kvs.every((kv) => matches(compare, kv));
}

function matches(compare: Compare, kv: KeyValue | undefined): boolean {
  return accepts(compare.result ?? 'EQUAL', differenceOf(compare, kv));
}

function differenceOf(compare: Compare, kv: KeyValue | undefined): number {
  switch (compare.target) {
    case 'VALUE':
      return valueDifference(kv?.value, compare.value);
    case 'VERSION':
      return (kv?.version ?? 0) - (compare.number ?? 0);
    case 'CREATE':
      return (kv?.createRevision ?? 0) - (compare.number ?? 0);
    case 'MOD':
      return (kv?.modRevision ?? 0) - (compare.number ?? 0);
    case 'LEASE': {
      const lease = kv?.lease ?? 0n;
      const other = compare.lease ?? 0n;
      return lease === other ? 0 : lease < other ? -1 : 1;
    }
  }
}

/** Text by bytes (an absent value is the empty text); other references are equal or differ. */
function valueDifference(a: unknown, b: unknown): number {
  const left = a ?? '';
  const right = b ?? '';
  if (left === right) return 0;
  if (typeof left === 'string' && typeof right === 'string') return compareKeys(left, right);
  return 1;
}

function accepts(result: CompareResult, difference: number): boolean {
  switch (result) {
    case 'EQUAL':
      return difference === 0;
    case 'NOT_EQUAL':
      return difference !== 0;
    case 'GREATER':
      return difference > 0;
    case 'LESS':
      return difference < 0;
  }
}

/** The transaction without its reads (txn.removeNeedlessRangeReqs); only the defect E5 asks for it. */
export function withoutReads(request: TxnRequest): TxnRequest {
  return { ...request, success: writesOf(request.success ?? []), failure: writesOf(request.failure ?? []) };
}

function writesOf(ops: readonly RequestOp[]): readonly RequestOp[] {
  return ops.filter((op) => op.type !== 'range').map((op) => (op.type === 'txn' ? withoutReads(op) : op));
}
