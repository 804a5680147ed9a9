import { describe, expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import type { UntypedObject } from '../api/object.ts';
import { CONFIG_MAPS, DEPLOYMENTS, PODS, type Resource } from '../client/resources.ts';
import { pod, testCluster } from '../kubelet/test-cluster.fixture.ts';
import { User, type UserOperation } from './users.ts';

function setUp() {
  const t = testCluster();
  let operation = 0;
  const user = new User({
    name: 'user-1',
    servers: [t.world.network.endpoint('cp-0', '6443')],
    facts: t.facts,
    nextOperation: () => ++operation,
  });
  t.world.host('client-0').install(user.program());
  const answers: string[] = [];
  t.facts.userAnswer.subscribe((id, outcome, detail) => answers.push(`${id} ${outcome} ${detail}`));
  const perform = (task: UserOperation) => {
    user.perform(task);
    t.world.run(t.world.now + SECOND);
  };
  return { ...t, user, answers, perform };
}

const map = (data: Record<string, string>): UntypedObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'cfg', namespace: 'default' },
  data,
});
const configMaps = CONFIG_MAPS as unknown as Resource;

describe('a user with kubectl', () => {
  it('applies, applies again, and takes away what is no longer named', () => {
    const t = setUp();
    t.perform({ kind: 'apply', resource: configMaps, object: map({ a: '1', b: '2' }) });
    t.perform({ kind: 'apply', resource: configMaps, object: map({ b: '3' }) });
    let data: unknown;
    t.script(function* () {
      const got = yield* t.client.resource(CONFIG_MAPS).get('default', 'cfg');
      if (got.ok) data = got.object.data;
    });
    t.world.run(t.world.now + SECOND);
    expect(data).toEqual({ b: '3' });
    expect(t.answers).toEqual(['1 ok created', '2 ok configured']);
  });

  it('scales and changes images of a deployment, and hears of what is not there', () => {
    const t = setUp();
    const labels = { app: 'web' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'web:v1' }] } };
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { matchLabels: labels }, template },
    };
    t.perform({ kind: 'apply', resource: DEPLOYMENTS as unknown as Resource, object: deployment });
    t.perform({ kind: 'scale', namespace: 'default', name: 'web', replicas: 5 });
    t.perform({ kind: 'set-image', namespace: 'default', name: 'web', container: 'c', image: 'web:v2' });
    t.perform({ kind: 'scale', namespace: 'default', name: 'nobody', replicas: 1 });
    let seen: unknown;
    t.script(function* () {
      const got = yield* t.client.resource(DEPLOYMENTS).get('default', 'web');
      if (got.ok) seen = [got.object.spec?.replicas, got.object.spec?.template.spec?.containers[0]?.image];
    });
    t.world.run(t.world.now + SECOND);
    expect(seen).toEqual([5, 'web:v2']);
    expect(t.answers.slice(0, 3)).toEqual(['1 ok created', '2 ok scaled', '3 ok image updated']);
    expect(t.answers[3]).toMatch(/^4 failed .*"nobody" not found/);
  });

  it('deletes the n-th pod of a selection', () => {
    const t = setUp();
    t.script(function* () {
      for (const name of ['a', 'b', 'c']) {
        const each = pod(name, { containers: [{ name: 'c', image: 'x' }] });
        yield* t.client.resource(PODS).create({ ...each, metadata: { ...each.metadata, labels: { app: 'x' } } });
      }
    });
    t.world.run(t.world.now + SECOND);
    t.perform({ kind: 'delete-pod', namespace: 'default', labelSelector: 'app=x', index: 4 });
    expect(t.answers).toEqual(['1 ok deleted b']);
  });

  it('does not know what became of a call when the server is gone', () => {
    const t = setUp();
    t.world.host('cp-0').crash();
    t.user.perform({ kind: 'scale', namespace: 'default', name: 'web', replicas: 1 });
    t.world.run(t.world.now + 120 * SECOND);
    expect(t.answers).toHaveLength(1);
    expect(t.answers[0]).toMatch(/^1 (unknown|failed) /);
  });
});
