import { describe, expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import { testCluster } from '../etcd/cluster.fixture.ts';
import { EtcdStorage } from './etcd-storage.ts';
import { StoredObject } from './stored-object.ts';

const MIB = 1024 * 1024;

/** A custom resource with so much text in it: what validates sizes of built-in kinds has been passed by. */
function document(bytes: number): StoredObject {
  return new StoredObject({
    apiVersion: 'example.com/v1',
    kind: 'Document',
    metadata: { name: 'a' },
    spec: { text: 'x'.repeat(bytes) },
  } as never);
}

describe('the storage over etcd', () => {
  it('is refused objects above 1.5 MiB, new ones and updates, and takes those below', () => {
    const cluster = testCluster(3);
    const answers: unknown[] = [];
    cluster.task('api', function* (process) {
      yield* process.sleep(3 * SECOND);
      const storage = new EtcdStorage(process, [cluster.world.network.endpoint('etcd-0', '2379')]);
      const key = '/registry/example.com/documents/a';
      answers.push(yield* storage.create(key, document(1.6 * MIB)));
      const created = yield* storage.create(key, document(1.4 * MIB));
      answers.push('failure' in created ? created : created.succeeded);
      const revision = 'failure' in created ? 0 : created.revision;
      answers.push(yield* storage.compareAndPut(key, revision, document(1.6 * MIB)));
      answers.push(yield* storage.compareAndPut(key, revision, document(3 * MIB)));
      const updated = yield* storage.compareAndPut(key, revision, document(1.45 * MIB));
      answers.push('failure' in updated ? updated : updated.succeeded);
    });
    cluster.world.run(10 * SECOND);
    const refused = { failure: 'request-too-large' };
    expect(answers).toEqual([refused, true, refused, refused, true]);
  });
});
