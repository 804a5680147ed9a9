import type { Status } from '../api/object.ts';
import { expired, plainError, tooLargeResourceVersion } from '../api/status.ts';
import type { StorageFailure } from './storage.ts';

/**
 * The Status that a real API server answers when etcd does: upstream `storage/errors` leaves errors that it does not know as they are,
 * so most are a 500 with etcd's text.
 */
export function storageStatus(failure: StorageFailure): Status {
  switch (failure.failure) {
    case 'timeout':
      return plainError('etcdserver: request timed out');
    case 'no-leader':
      return plainError('etcdserver: no leader');
    case 'leader-changed':
      return plainError('etcdserver: leader changed');
    case 'unavailable':
      return plainError('rpc error: code = Unavailable desc = error reading from server: EOF');
    case 'no-space':
      return plainError('etcdserver: mvcc: database space exceeded');
    case 'request-too-large':
      return plainError('etcdserver: request is too large');
    case 'too-many-requests':
      return plainError('etcdserver: too many requests');
    case 'compacted':
      return expired('The resourceVersion for the provided list is too old.');
    case 'future-revision':
      return tooLargeResourceVersion(0, failure.currentRevision);
    case 'permission-denied':
      return plainError('etcdserver: permission denied');
  }
}
