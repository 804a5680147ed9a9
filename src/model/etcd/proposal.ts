import type {
  AlarmRequest,
  AuthRequest,
  CompactionRequest,
  DeleteRangeRequest,
  LeaseGrantRequest,
  LeaseId,
  LeaseRevokeRequest,
  MemberId,
  PutRequest,
  RequestOp,
  TxnRequest,
} from './api.ts';
import type { AuthInfo } from './auth/auth-store.ts';
import { valueSizeBytes } from './keys.ts';

/** What goes through raft besides membership changes (InternalRaftRequest). */
export type ProposedRequest =
  | PutRequest
  | DeleteRangeRequest
  | TxnRequest
  | CompactionRequest
  | LeaseGrantRequest
  /** `expired`: the primary's lessor asks for it, not a client. */
  | (LeaseRevokeRequest & { readonly expired?: boolean })
  | { readonly type: 'leaseCheckpoint'; readonly id: LeaseId; readonly remainingTtl: number }
  | AlarmRequest
  | Exclude<AuthRequest, { type: 'authenticate' }>
  /** A password was right: the token is to be known everywhere. */
  | { readonly type: 'assignToken'; readonly name: string; readonly token: string }
  /** A started member makes its name and client URLs known. */
  | { readonly type: 'publish'; readonly memberId: MemberId; readonly name: string; readonly clientURLs: readonly string[] }
  | { readonly type: 'clusterVersion'; readonly version: string }
  | { readonly type: 'downgradeInfo'; readonly targetVersion: string };

/** The payload of an ordinary raft entry. One object per proposal: its identity tells the proposer its own entry. */
export interface Proposal {
  readonly request: ProposedRequest;
  readonly auth: AuthInfo;
  /** Identifies the content in facts: no two proposals share it. */
  readonly hash: number;
  readonly sizeBytes: number;
}

const HEADER_BYTES = 16;

/** Bytes that a request takes as protobuf, closely enough for limits and bandwidth. */
export function requestBytes(request: ProposedRequest | RequestOp): number {
  switch (request.type) {
    case 'put':
      return HEADER_BYTES + request.key.length + valueSizeBytes(request.value, request.sizeBytes);
    case 'txn':
      return HEADER_BYTES + 24 * (request.compare?.length ?? 0) + opsBytes(request.success ?? []) + opsBytes(request.failure ?? []);
    case 'range':
    case 'deleteRange':
      return HEADER_BYTES + request.key.length + (request.rangeEnd?.length ?? 0);
    default:
      return 2 * HEADER_BYTES;
  }
}

function opsBytes(ops: readonly RequestOp[]): number {
  let bytes = 0;
  for (const op of ops) bytes += requestBytes(op);
  return bytes;
}
