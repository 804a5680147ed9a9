import type { TraceMessage } from '../harness/recorder.ts';
import type { ApiRequest, ApiResponse, WatchEvent as ApiEvent } from '../model/api/request.ts';
import type { EtcdRequest, RangeResponse, ResponseHeader, WatchResponse } from '../model/etcd/api.ts';
import { isError } from '../model/etcd/errors.ts';
import { sayRaft } from './raft-labels.ts';
import { etcdRequest, type MessageWords, shortKey } from './request-words.ts';

/** What the connections carry (src/sim/rpc.ts). */
interface Frame {
  readonly t: 'call' | 'open' | 'answer' | 'message' | 'end' | 'cancel';
  readonly id: number;
  readonly method?: string;
  readonly body?: unknown;
}

/** The frame of a message, if it is one of a call or stream. */
export function frameOf(message: TraceMessage): Frame | undefined {
  const payload = message.payload as { readonly t?: unknown } | undefined;
  return typeof payload === 'object' && payload !== null && typeof payload.t === 'string' ? (payload as Frame) : undefined;
}

/** The raft message inside, if it is one. */
export function isRaft(message: TraceMessage): boolean {
  const payload = message.payload as { readonly type?: unknown; readonly logTerm?: unknown } | undefined;
  return message.kind === 'datagram' && typeof payload?.type === 'number' && typeof payload.logTerm === 'number';
}

/** Says what a message says. `call` is the call or stream that it belongs to, where it answers one. */
export function sayMessage(message: TraceMessage, call: TraceMessage | undefined): MessageWords {
  if (isRaft(message)) return sayRaft(message);
  const frame = frameOf(message);
  if (frame === undefined) {
    const closing = message.kind === 'close';
    return {
      kind: closing ? 'close' : message.kind,
      label: closing ? 'close' : '',
      says: closing ? 'the end of the connection' : 'a message',
      detail: [],
      noise: closing,
    };
  }
  if (frame.t === 'cancel') return { kind: 'cancel', label: 'gives up', says: 'that it no longer waits', detail: [], noise: true };
  if (frame.t === 'call' || frame.t === 'open') return sayRequest(frame);
  const opened = call === undefined ? undefined : frameOf(call);
  if (frame.t === 'answer') return sayAnswer(frame.body, opened);
  return sayStream(frame, opened);
}

function sayRequest(frame: Frame): MessageWords {
  const body = frame.body as { readonly request?: EtcdRequest; readonly verb?: string } | undefined;
  if (frame.method === 'etcd' && body?.request !== undefined) {
    const what = etcdRequest(body.request);
    const noise = body.request.type === 'leaseKeepAlive' || /\/leases\/|\/events\/|masterleases/.test(what);
    return { kind: `etcd/${body.request.type}`, label: what, says: `the request ${what}`, detail: [['request', what]], noise };
  }
  if (body?.verb !== undefined && (frame.method === 'api' || frame.method === 'watch')) {
    const request = body as unknown as ApiRequest;
    const what = apiRequest(request);
    return {
      kind: `api/${request.verb}`,
      label: what,
      says: `the request ${what}`,
      detail: [
        ['request', what],
        ['user', request.user.name],
      ],
      noise: isApiNoise(request),
    };
  }
  const method = frame.method ?? frame.t;
  return {
    kind: method,
    label: frame.t === 'open' && method === 'watch' ? 'watch' : method,
    says: method,
    detail: [],
    noise: method.startsWith('peer/'),
  };
}

/** Heartbeats, leases and events: never news by themselves. */
export function isApiNoise(request: Pick<ApiRequest, 'resource' | 'subresource' | 'verb'>): boolean {
  return (
    request.resource === 'leases' || request.resource === 'events' || (request.resource === 'nodes' && request.subresource === 'status')
  );
}

export function apiRequest(request: ApiRequest): string {
  const object = [request.resource, request.name].filter((part) => part !== undefined && part !== '').join('/');
  return `${request.verb} ${object}${request.subresource === undefined ? '' : `/${request.subresource}`}`;
}

function sayAnswer(body: unknown, call: Frame | undefined): MessageWords {
  const of = call === undefined ? undefined : sayRequest(call);
  const asked = of === undefined ? '' : of.label;
  const words = (label: string, detail: MessageWords['detail'], kind: string): MessageWords => ({
    kind,
    label,
    says: `the answer ${label}${asked === '' ? '' : ` to ${asked}`}`,
    detail: asked === '' ? detail : [['answers', asked], ...detail],
    noise: of?.noise ?? false,
  });
  if (isError(body)) return words(body.code, [['error', body.message]], 'etcd/error');
  const { code, object } = (body ?? {}) as Partial<ApiResponse>;
  if (typeof code === 'number' && object !== undefined) {
    const status = object as {
      readonly reason?: string;
      readonly message?: string;
      readonly metadata?: { readonly resourceVersion?: string };
    };
    const version = status.metadata?.resourceVersion;
    const detail: (readonly [string, string])[] = [['code', String(code)]];
    if (version !== undefined) detail.push(['resourceVersion', version]);
    if (code >= 400 && status.message !== undefined) detail.push(['message', status.message]);
    return words(code >= 400 && status.reason ? `${code} ${status.reason}` : String(code), detail, 'api/answer');
  }
  const { header, kvs } = (body ?? {}) as Partial<RangeResponse> & { readonly header?: ResponseHeader };
  if (header !== undefined) {
    const detail: (readonly [string, string])[] = [
      ['revision', String(header.revision)],
      ['term', String(header.raftTerm)],
    ];
    const kv = kvs?.[0];
    if (kvs !== undefined)
      detail.push([
        'found',
        kv === undefined ? 'nothing' : `${kvs.length === 1 ? `write of revision ${kv.modRevision}` : `${kvs.length} keys`}`,
      ]);
    return words(`ok, revision ${header.revision}`, detail, 'etcd/answer');
  }
  return words('ok', [], `${call?.method ?? 'rpc'}/answer`);
}

function sayStream(frame: Frame, opened: Frame | undefined): MessageWords {
  if (frame.t === 'end') return { kind: 'watch/end', label: 'watch ends', says: 'the end of its watch', detail: [], noise: false };
  if (Array.isArray(frame.body)) {
    const events = frame.body as readonly ApiEvent[];
    const first = events[0];
    const name = (first?.object as { readonly metadata?: { readonly name?: string } } | undefined)?.metadata?.name ?? '';
    const request = opened?.body as ApiRequest | undefined;
    const what = first === undefined ? 'no event' : `${first.type} ${name}${events.length > 1 ? ` +${events.length - 1}` : ''}`.trim();
    const noise = first === undefined || first.type === 'BOOKMARK' || (request !== undefined && isApiNoise(request));
    return { kind: 'watch/event', label: what, says: `the watch event ${what}`, detail: [['resource', request?.resource ?? '']], noise };
  }
  const { events, header, created } = (frame.body ?? {}) as Partial<WatchResponse>;
  if (events !== undefined) {
    const first = events[0];
    const what =
      first === undefined
        ? created === true
          ? 'watch created'
          : `progress ${header?.revision ?? ''}`
        : `${first.type} ${shortKey(first.kv.key)}${events.length > 1 ? ` +${events.length - 1}` : ''}`;
    return {
      kind: 'watch/event',
      label: what,
      says: `the watch event ${what}`,
      detail: header === undefined ? [] : [['revision', String(first?.kv.modRevision ?? header.revision)]],
      noise: first === undefined,
    };
  }
  return { kind: 'stream', label: '', says: 'a message of its stream', detail: [], noise: true };
}
