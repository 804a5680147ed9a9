import type { EtcdRequest } from '../model/etcd/api.ts';

/** A message in words. */
export interface MessageWords {
  /** `raft/append`, `etcd/put`, `api/update`: greppable. */
  readonly kind: string;
  /** Two or three words beside the arrow. */
  readonly label: string;
  /** What it says, to be put after "etcd-0 sends etcd-1 ". */
  readonly says: string;
  readonly detail: readonly (readonly [string, string])[];
  /** Goes on for ever: heartbeats, keep-alives, renewals. */
  readonly noise: boolean;
}

/** Names as short as they can be and still tell: `pods/shop/web-1`. */
export function shortKey(key: string): string {
  return key.replace(/^\/registry\//, '').replace(/^(?:apps|discovery\.k8s\.io|coordination\.k8s\.io)\//, '');
}

/** A request to etcd in a few words. */
export function etcdRequest(request: EtcdRequest): string {
  switch (request.type) {
    case 'put':
      return `put ${shortKey(request.key)}`;
    case 'deleteRange':
      return `delete ${shortKey(request.key)}`;
    case 'range':
      return `get ${shortKey(request.key)}${request.rangeEnd === undefined || request.rangeEnd === '' ? '' : '…'}${request.serializable === true ? ' (serializable)' : ''}`;
    case 'txn': {
      const op = request.success?.[0];
      return op === undefined || op.type === 'none' ? 'txn' : `txn ${etcdRequest(op)}`;
    }
    default:
      return request.type;
  }
}
