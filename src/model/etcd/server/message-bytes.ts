import type { EtcdRequest } from '../api.ts';
import { valueSizeBytes } from '../keys.ts';
import { requestBytes } from '../proposal.ts';

/** Size of a request as gRPC receives it. Exact for puts with ASCII keys, whose limit a client may want to hit; else an estimate. */
export function messageBytes(request: EtcdRequest): number {
  switch (request.type) {
    case 'put': {
      const value = valueSizeBytes(request.value, request.sizeBytes);
      return field(request.key.length) + (value === 0 ? 0 : field(value)) + (request.prevKv === true ? 2 : 0);
    }
    case 'txn':
      return requestBytes(request);
    default:
      return 32;
  }
}

/** A length-delimited protobuf field: tag, length as a varint, content. */
function field(length: number): number {
  let prefix = 1;
  for (let rest = length; rest >= 0x80; rest = Math.floor(rest / 128)) prefix++;
  return 1 + prefix + length;
}
