/**
 * etcd's v3 API as data: field names of etcd's protobuf in camelCase. Fields with the protobuf default may be left out of requests;
 * answers always carry them. Revisions, terms, member and cluster ids are safe integers; lease ids use all of int64 and are bigint.
 * One file, as rpc.proto is: requests first, then answers, then watches.
 */
import type { Permission } from './auth/permission.ts';

/** A revision of the store (main part). 1 is the empty store. */
export type Revision = number;
/** int64; 0n is no lease. */
export type LeaseId = bigint;
/** A member's id; 0 is none. */
export type MemberId = number;

export interface ResponseHeader {
  readonly clusterId: number;
  readonly memberId: MemberId;
  readonly revision: Revision;
  readonly raftTerm: number;
}

/** mvccpb.KeyValue. `value` is whatever was put, by reference; undefined where it is empty or was not asked for. */
export interface KeyValue {
  readonly key: string;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  readonly version: number;
  readonly value: unknown;
  readonly lease: LeaseId;
  /** Size of the value in bytes. */
  readonly sizeBytes: number;
}

export type SortOrder = 'NONE' | 'ASCEND' | 'DESCEND';
export type SortTarget = 'KEY' | 'VERSION' | 'CREATE' | 'MOD' | 'VALUE';

export interface RangeRequest {
  readonly type: 'range';
  readonly key: string;
  /** '' (or absent) is the one key, "\0" everything from `key` on, else the end, not included. */
  readonly rangeEnd?: string;
  readonly limit?: number;
  readonly revision?: Revision;
  readonly sortOrder?: SortOrder;
  readonly sortTarget?: SortTarget;
  /** Answer from the asked member's own state, however old. */
  readonly serializable?: boolean;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  readonly minModRevision?: Revision;
  readonly maxModRevision?: Revision;
  readonly minCreateRevision?: Revision;
  readonly maxCreateRevision?: Revision;
}

export interface PutRequest {
  readonly type: 'put';
  readonly key: string;
  /** Any reference; strings for etcd clients. Never changed in place after this. */
  readonly value?: unknown;
  /** Size of a value that is not a string or byte array; it counts against quota and request limits. */
  readonly sizeBytes?: number;
  /** 32-bit content hash of a value that is not a string, if its writer knows it: it goes into HashKV. */
  readonly valueHash?: number;
  readonly lease?: LeaseId;
  readonly prevKv?: boolean;
  readonly ignoreValue?: boolean;
  readonly ignoreLease?: boolean;
}

export interface DeleteRangeRequest {
  readonly type: 'deleteRange';
  readonly key: string;
  readonly rangeEnd?: string;
  readonly prevKv?: boolean;
}

export type CompareResult = 'EQUAL' | 'GREATER' | 'LESS' | 'NOT_EQUAL';

interface CompareBase {
  readonly key: string;
  readonly rangeEnd?: string;
  readonly result?: CompareResult;
}

export type Compare =
  | (CompareBase & { readonly target: 'VERSION' | 'CREATE' | 'MOD'; readonly number?: number })
  | (CompareBase & { readonly target: 'VALUE'; readonly value?: unknown })
  | (CompareBase & { readonly target: 'LEASE'; readonly lease?: LeaseId });

/** One operation of a txn; 'none' is the empty operation that protobuf allows and etcd refuses. */
export type RequestOp = RangeRequest | PutRequest | DeleteRangeRequest | TxnRequest | { readonly type: 'none' };

export interface TxnRequest {
  readonly type: 'txn';
  readonly compare?: readonly Compare[];
  readonly success?: readonly RequestOp[];
  readonly failure?: readonly RequestOp[];
}

export interface CompactionRequest {
  readonly type: 'compact';
  readonly revision?: Revision;
  /** Answer only when the compaction has removed everything from the backend. */
  readonly physical?: boolean;
}

export interface LeaseGrantRequest {
  readonly type: 'leaseGrant';
  /** Seconds. */
  readonly ttl?: number;
  /** 0n or absent: the server chooses. */
  readonly id?: LeaseId;
}
export interface LeaseRevokeRequest {
  readonly type: 'leaseRevoke';
  readonly id: LeaseId;
}
export interface LeaseKeepAliveRequest {
  readonly type: 'leaseKeepAlive';
  readonly id: LeaseId;
}
export interface LeaseTimeToLiveRequest {
  readonly type: 'leaseTimeToLive';
  readonly id: LeaseId;
  readonly keys?: boolean;
}
export interface LeaseLeasesRequest {
  readonly type: 'leaseLeases';
}

export interface MemberListRequest {
  readonly type: 'memberList';
  readonly linearizable?: boolean;
}
export interface MemberAddRequest {
  readonly type: 'memberAdd';
  readonly peerURLs: readonly string[];
  readonly isLearner?: boolean;
}
export interface MemberRemoveRequest {
  readonly type: 'memberRemove';
  readonly id: MemberId;
}
export interface MemberUpdateRequest {
  readonly type: 'memberUpdate';
  readonly id: MemberId;
  readonly peerURLs: readonly string[];
}
/**
 * Adds and removes members in one step, through joint consensus. etcd's API has no such call; users of its raft library (CockroachDB, TiKV) do
 * this, and so can our operator.
 */
export interface MembersChangeRequest {
  readonly type: 'membersChange';
  readonly add: readonly string[];
  readonly remove: readonly MemberId[];
}
export interface MemberPromoteRequest {
  readonly type: 'memberPromote';
  readonly id: MemberId;
}

export type AlarmType = 'NONE' | 'NOSPACE' | 'CORRUPT';
export interface AlarmMember {
  readonly memberId: MemberId;
  readonly alarm: AlarmType;
}
export interface AlarmRequest {
  readonly type: 'alarm';
  readonly action?: 'GET' | 'ACTIVATE' | 'DEACTIVATE';
  readonly memberId?: MemberId;
  readonly alarm?: AlarmType;
}
export interface StatusRequest {
  readonly type: 'status';
}
export interface DefragmentRequest {
  readonly type: 'defragment';
}
export interface HashRequest {
  readonly type: 'hash';
}
export interface HashKvRequest {
  readonly type: 'hashKv';
  readonly revision?: Revision;
}
export interface MoveLeaderRequest {
  readonly type: 'moveLeader';
  readonly targetId: MemberId;
}
export interface DowngradeRequest {
  readonly type: 'downgrade';
  readonly action?: 'VALIDATE' | 'ENABLE' | 'CANCEL';
  readonly version?: string;
}

export type AuthRequest =
  | { readonly type: 'authEnable' }
  | { readonly type: 'authDisable' }
  | { readonly type: 'authStatus' }
  | { readonly type: 'authenticate'; readonly name: string; readonly password: string }
  | { readonly type: 'userAdd'; readonly name: string; readonly password?: string; readonly noPassword?: boolean }
  | { readonly type: 'userGet'; readonly name: string }
  | { readonly type: 'userList' }
  | { readonly type: 'userDelete'; readonly name: string }
  | { readonly type: 'userChangePassword'; readonly name: string; readonly password: string }
  | { readonly type: 'userGrantRole'; readonly user: string; readonly role: string }
  | { readonly type: 'userRevokeRole'; readonly name: string; readonly role: string }
  | { readonly type: 'roleAdd'; readonly name: string }
  | { readonly type: 'roleGet'; readonly role: string }
  | { readonly type: 'roleList' }
  | { readonly type: 'roleDelete'; readonly role: string }
  | { readonly type: 'roleGrantPermission'; readonly name: string; readonly perm: Permission }
  | { readonly type: 'roleRevokePermission'; readonly role: string; readonly key: string; readonly rangeEnd?: string };

/** Every unary request. Watches are streams: see {@link WatchRequest}. */
export type EtcdRequest =
  | RangeRequest
  | PutRequest
  | DeleteRangeRequest
  | TxnRequest
  | CompactionRequest
  | LeaseGrantRequest
  | LeaseRevokeRequest
  | LeaseKeepAliveRequest
  | LeaseTimeToLiveRequest
  | LeaseLeasesRequest
  | MemberListRequest
  | MemberAddRequest
  | MemberRemoveRequest
  | MemberUpdateRequest
  | MemberPromoteRequest
  | MembersChangeRequest
  | AlarmRequest
  | StatusRequest
  | DefragmentRequest
  | HashRequest
  | HashKvRequest
  | MoveLeaderRequest
  | DowngradeRequest
  | AuthRequest;

export interface RangeResponse {
  readonly header: ResponseHeader;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: number;
}
export interface PutResponse {
  readonly header: ResponseHeader;
  readonly prevKv?: KeyValue;
}
export interface DeleteRangeResponse {
  readonly header: ResponseHeader;
  readonly deleted: number;
  readonly prevKvs: readonly KeyValue[];
}
/** Answers inside a txn carry only a revision in their header; a nested txn's header is empty (revision 0). */
export type ResponseOp =
  | { readonly type: 'range'; readonly response: Omit<RangeResponse, 'header'> & { readonly header: InnerHeader } }
  | { readonly type: 'put'; readonly response: Omit<PutResponse, 'header'> & { readonly header: InnerHeader } }
  | { readonly type: 'deleteRange'; readonly response: Omit<DeleteRangeResponse, 'header'> & { readonly header: InnerHeader } }
  | { readonly type: 'txn'; readonly response: Omit<TxnResponse, 'header'> & { readonly header: InnerHeader } };
export interface InnerHeader {
  readonly revision: Revision;
}
export interface TxnResponse {
  readonly header: ResponseHeader;
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
}
export interface EmptyResponse {
  readonly header: ResponseHeader;
}
export interface LeaseGrantResponse {
  readonly header: ResponseHeader;
  readonly id: LeaseId;
  readonly ttl: number;
}
export interface LeaseKeepAliveResponse {
  readonly header: ResponseHeader;
  readonly id: LeaseId;
  /** 0: the lease is not there any more. */
  readonly ttl: number;
}
export interface LeaseTimeToLiveResponse {
  readonly header: ResponseHeader;
  readonly id: LeaseId;
  /** -1: the lease is not there any more. */
  readonly ttl: number;
  readonly grantedTtl: number;
  readonly keys: readonly string[];
}
export interface LeaseLeasesResponse {
  readonly header: ResponseHeader;
  readonly leases: readonly { readonly id: LeaseId }[];
}
export interface Member {
  readonly id: MemberId;
  /** '' until the member has started once. */
  readonly name: string;
  readonly peerURLs: readonly string[];
  readonly clientURLs: readonly string[];
  readonly isLearner: boolean;
}
export interface MembersResponse {
  readonly header: ResponseHeader;
  /** The member added. */
  readonly member?: Member;
  readonly members: readonly Member[];
}
export interface AlarmResponse {
  readonly header: ResponseHeader;
  readonly alarms: readonly AlarmMember[];
}
export interface StatusResponse {
  readonly header: ResponseHeader;
  readonly version: string;
  readonly dbSize: number;
  readonly dbSizeInUse: number;
  readonly dbSizeQuota: number;
  readonly leader: MemberId;
  readonly raftIndex: number;
  readonly raftTerm: number;
  readonly raftAppliedIndex: number;
  readonly errors: readonly string[];
  readonly isLearner: boolean;
  readonly storageVersion: string;
}
export interface HashResponse {
  readonly header: ResponseHeader;
  readonly hash: number;
}
export interface HashKvResponse {
  readonly header: ResponseHeader;
  readonly hash: number;
  readonly compactRevision: Revision;
  readonly hashRevision: Revision;
}
export interface DowngradeResponse {
  readonly header: ResponseHeader;
  readonly version: string;
}
export interface AuthStatusResponse {
  readonly header: ResponseHeader;
  readonly enabled: boolean;
  readonly authRevision: number;
}
export interface AuthenticateResponse {
  readonly header: ResponseHeader;
  readonly token: string;
}
export interface UserGetResponse {
  readonly header: ResponseHeader;
  readonly roles: readonly string[];
}
export interface UserListResponse {
  readonly header: ResponseHeader;
  readonly users: readonly string[];
}
export interface RoleGetResponse {
  readonly header: ResponseHeader;
  readonly perm: readonly Permission[];
}
export interface RoleListResponse {
  readonly header: ResponseHeader;
  readonly roles: readonly string[];
}

interface ResponseTable {
  range: RangeResponse;
  put: PutResponse;
  deleteRange: DeleteRangeResponse;
  txn: TxnResponse;
  compact: EmptyResponse;
  leaseGrant: LeaseGrantResponse;
  leaseRevoke: EmptyResponse;
  leaseKeepAlive: LeaseKeepAliveResponse;
  leaseTimeToLive: LeaseTimeToLiveResponse;
  leaseLeases: LeaseLeasesResponse;
  memberList: MembersResponse;
  memberAdd: MembersResponse;
  memberRemove: MembersResponse;
  memberUpdate: MembersResponse;
  memberPromote: MembersResponse;
  membersChange: MembersResponse;
  alarm: AlarmResponse;
  status: StatusResponse;
  defragment: EmptyResponse;
  hash: HashResponse;
  hashKv: HashKvResponse;
  moveLeader: EmptyResponse;
  downgrade: DowngradeResponse;
  authEnable: EmptyResponse;
  authDisable: EmptyResponse;
  authStatus: AuthStatusResponse;
  authenticate: AuthenticateResponse;
  userAdd: EmptyResponse;
  userGet: UserGetResponse;
  userList: UserListResponse;
  userDelete: EmptyResponse;
  userChangePassword: EmptyResponse;
  userGrantRole: EmptyResponse;
  userRevokeRole: EmptyResponse;
  roleAdd: EmptyResponse;
  roleGet: RoleGetResponse;
  roleList: RoleListResponse;
  roleDelete: EmptyResponse;
  roleGrantPermission: EmptyResponse;
  roleRevokePermission: EmptyResponse;
}

/** The answer to a request, by the request's type. */
export type ResponseTo<R extends EtcdRequest> = ResponseTable[R['type']];
/** Any unary answer. */
export type EtcdResponse = ResponseTable[keyof ResponseTable];

/** What a client says on a watch stream. */
export type WatchRequest =
  | ({ readonly type: 'create' } & WatchCreate)
  | { readonly type: 'cancel'; readonly watchId: number }
  | { readonly type: 'progress' };

export type WatchFilter = 'NOPUT' | 'NODELETE';
export interface WatchCreate {
  readonly key: string;
  readonly rangeEnd?: string;
  /** 0 or absent: from now on. */
  readonly startRevision?: Revision;
  readonly progressNotify?: boolean;
  readonly filters?: readonly WatchFilter[];
  readonly prevKv?: boolean;
  /** 0 or absent: the server chooses. */
  readonly watchId?: number;
  readonly fragment?: boolean;
}

export interface WatchEvent {
  readonly type: 'PUT' | 'DELETE';
  /** Of a delete only `key` and `modRevision` are set. */
  readonly kv: KeyValue;
  readonly prevKv?: KeyValue;
}

/** One message of a watch stream. */
export interface WatchResponse {
  readonly header: ResponseHeader;
  readonly watchId: number;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: Revision;
  readonly cancelReason: string;
  readonly fragment: boolean;
  readonly events: readonly WatchEvent[];
}

/** Metadata that travels with a call. */
export interface CallMetadata {
  /** The auth token. */
  readonly token?: string;
  /** Refuse (and cut running watches) while the member knows of no leader (clientv3.WithRequireLeader). */
  readonly requireLeader?: boolean;
}
