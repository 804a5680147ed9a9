import { type EtcdError, GrpcCode } from '../etcd/errors.ts';
import type { StorageFailure } from './storage.ts';

/** What an error of etcd means to the API server. */
export function storageFailureOf(error: EtcdError): StorageFailure {
  switch (error.code) {
    case 'timeout':
    case 'timeoutDueToLeaderFail':
    case 'timeoutDueToConnectionLost':
    case 'timeoutWaitAppliedIndex':
    case 'timeoutLeaderTransfer':
    case 'deadlineExceeded':
      return { failure: 'timeout' };
    case 'noLeader':
      return { failure: 'no-leader' };
    case 'leaderChanged':
      return { failure: 'leader-changed' };
    case 'noSpace':
      return { failure: 'no-space' };
    case 'requestTooLarge':
      return { failure: 'request-too-large' };
    case 'tooManyRequests':
      return { failure: 'too-many-requests' };
    case 'compacted':
      return { failure: 'compacted', compactRevision: 0 };
    case 'futureRevision':
      return { failure: 'future-revision', currentRevision: 0 };
    case 'permissionDenied':
      return { failure: 'permission-denied' };
    default:
      // What does not even fit a message of gRPC is refused with ResourceExhausted.
      return { failure: error.grpc === GrpcCode.resourceExhausted ? 'request-too-large' : 'unavailable' };
  }
}
