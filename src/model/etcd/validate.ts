import type { Compare, EtcdRequest, PutRequest, RequestOp, TxnRequest } from './api.ts';
import { type EtcdError, etcdError, isError, type Result } from './errors.ts';
import { inRange } from './keys.ts';

/**
 * What the gRPC layer refuses before anything reaches raft (server/etcdserver/api/v3rpc/key.go).
 */
export function checkRequest(request: EtcdRequest, txnOpsMax: number): EtcdError | undefined {
  switch (request.type) {
    case 'range':
    case 'deleteRange':
      return request.key === '' ? etcdError('emptyKey') : undefined;
    case 'put':
      return checkPut(request);
    case 'txn': {
      const refused = checkTxn(request, txnOpsMax);
      if (refused !== undefined) return refused;
      const writes = checkIntervals(request.success ?? []);
      if (isError(writes)) return writes;
      const others = checkIntervals(request.failure ?? []);
      return isError(others) ? others : undefined;
    }
    default:
      return undefined;
  }
}

function checkPut(request: PutRequest): EtcdError | undefined {
  if (request.key === '') return etcdError('emptyKey');
  if (request.ignoreValue === true && request.value !== undefined && request.value !== '') return etcdError('valueProvided');
  if (request.ignoreLease === true && (request.lease ?? 0n) !== 0n) return etcdError('leaseProvided');
  return undefined;
}

function checkTxn(request: TxnRequest, opsMax: number): EtcdError | undefined {
  const compare = request.compare ?? [];
  const success = request.success ?? [];
  const failure = request.failure ?? [];
  const ops = Math.max(compare.length, success.length, failure.length);
  if (ops > opsMax) return etcdError('tooManyOps');
  if (compare.some((c: Compare) => c.key === '')) return etcdError('emptyKey');
  for (const op of [...success, ...failure]) {
    const refused = checkOp(op, opsMax - ops);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function checkOp(op: RequestOp, opsMax: number): EtcdError | undefined {
  switch (op.type) {
    case 'range':
    case 'deleteRange':
      return op.key === '' ? etcdError('emptyKey') : undefined;
    case 'put':
      return checkPut(op);
    case 'txn':
      return checkTxn(op, opsMax);
    case 'none':
      return etcdError('keyNotFound');
  }
}

interface Writes {
  readonly puts: ReadonlySet<string>;
  readonly deletes: readonly { readonly key: string; readonly rangeEnd: string }[];
}

/**
 * Refuses to write one key twice, across all levels of nesting and whether or not the branch is taken; the two branches of one txn
 * exclude each other and may share keys (checkIntervals).
 */
function checkIntervals(ops: readonly RequestOp[]): Result<Writes> {
  const puts = new Set<string>();
  const deletes: { key: string; rangeEnd: string }[] = [];
  const deleted = (key: string) => deletes.some((range) => inRange(key, range.key, range.rangeEnd));
  for (const op of ops) if (op.type === 'deleteRange') deletes.push({ key: op.key, rangeEnd: op.rangeEnd ?? '' });
  for (const op of ops) {
    if (op.type !== 'txn') continue;
    const success = checkIntervals(op.success ?? []);
    if (isError(success)) return success;
    const failure = checkIntervals(op.failure ?? []);
    if (isError(failure)) return failure;
    for (const key of success.puts) {
      if (puts.has(key) || deleted(key)) return etcdError('duplicateKey');
      puts.add(key);
    }
    for (const key of failure.puts) {
      if ((puts.has(key) && !success.puts.has(key)) || deleted(key)) return etcdError('duplicateKey');
      puts.add(key);
    }
    deletes.push(...success.deletes, ...failure.deletes);
  }
  for (const op of ops) {
    if (op.type !== 'put') continue;
    if (puts.has(op.key) || deleted(op.key)) return etcdError('duplicateKey');
    puts.add(op.key);
  }
  return { puts, deletes };
}

/** Whether a txn writes nothing (txn.IsTxnReadonly). */
export function isReadOnlyTxn(request: TxnRequest): boolean {
  return isReadOnlyOps(request.success ?? []) && isReadOnlyOps(request.failure ?? []);
}

function isReadOnlyOps(ops: readonly RequestOp[]): boolean {
  return ops.every((op) => op.type === 'range' || (op.type === 'txn' && isReadOnlyTxn(op)));
}

/** Whether every range of a read-only txn may be answered from the member's own state (txn.IsTxnSerializable). */
export function isSerializableTxn(request: TxnRequest): boolean {
  return [...(request.success ?? []), ...(request.failure ?? [])].every((op) => op.type === 'range' && op.serializable === true);
}
