import { describe, expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import type { UntypedObject } from '../api/object.ts';
import { CONFIG_MAPS, DEPLOYMENTS, NODES, PODS } from '../client/resources.ts';
import { pod, testCluster } from '../kubelet/test-cluster.fixture.ts';
import { Kubectl, type UserOrder } from './kubectl.ts';

function setUp() {
  const t = testCluster();
  const refused: string[] = [];
  const user = new Kubectl({
    name: 'user-1',
    servers: [t.world.network.endpoint('cp-0', '6443')],
    facts: t.facts,
    onRefused: (source, message) => refused.push(`${source}: ${message}`),
  });
  t.world.host('client-0').install(user.program());
  const answers: string[] = [];
  t.facts.userAnswer.subscribe((id, outcome) => answers.push(`${id} ${outcome}`));
  const give = (order: UserOrder) => {
    user.order(order);
    t.world.run(t.world.now + SECOND);
  };
  return { ...t, user, answers, refused, give };
}

const map = (data: Record<string, string>): UntypedObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'cfg', namespace: 'default' },
  data,
});

function deployment(selector: Record<string, string>): UntypedObject {
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'web:v1' }] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: { selector: { matchLabels: selector }, template },
  };
}

describe('a user with kubectl', () => {
  it('creates what it applies, and changes it when it is there already', () => {
    const t = setUp();
    t.give({ what: 'apply', source: 'cfg.yaml', object: map({ a: '1', b: '2' }) });
    t.give({ what: 'apply', source: 'cfg.yaml', object: map({ b: '3' }) });
    let data: unknown;
    t.script(function* () {
      const got = yield* t.client.resource(CONFIG_MAPS).get('default', 'cfg');
      if (got.ok) data = got.object.data;
    });
    t.world.run(t.world.now + SECOND);
    expect(data).toEqual({ a: '1', b: '3' });
    expect(t.answers).toEqual(['1 ok', '2 ok']);
  });

  it('gives up a manifest that is refused for good, and says where it stands', () => {
    const t = setUp();
    t.give({ what: 'apply', source: 'web.yaml:1', object: deployment({ app: 'other' }) });
    expect(t.answers).toEqual(['1 refused']);
    expect(t.refused).toEqual([expect.stringMatching(/^web\.yaml:1: Deployment\.apps "web" is invalid/)]);
  });

  it('scales and changes images of a deployment, cordons and uncordons a node', () => {
    const t = setUp();
    t.give({ what: 'apply', source: 'web.yaml:1', object: deployment({ app: 'web' }) });
    t.give({ what: 'scale', deployment: 'default/web', replicas: 5 });
    t.give({ what: 'set-image', deployment: 'default/web', image: 'web:v2' });
    t.script(function* () {
      yield* t.client.resource(NODES).create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'spare' }, spec: {} });
    });
    t.world.run(t.world.now + SECOND);
    t.give({ what: 'drain', node: 'spare' });
    const seen: unknown[] = [];
    const look = () => {
      t.script(function* () {
        const node = yield* t.client.resource(NODES).get('', 'spare');
        if (node.ok) seen.push(node.object.spec?.unschedulable);
      });
      t.world.run(t.world.now + SECOND);
    };
    look();
    t.give({ what: 'uncordon', node: 'spare' });
    look();
    t.script(function* () {
      const got = yield* t.client.resource(DEPLOYMENTS).get('default', 'web');
      if (got.ok) seen.push(got.object.spec?.replicas, got.object.spec?.template.spec?.containers[0]?.image);
    });
    t.world.run(t.world.now + SECOND);
    expect(seen).toEqual([true, undefined, 5, 'web:v2']);
    expect(t.answers).toEqual(['1 ok', '2 ok', '3 ok', '4 ok', '5 ok']);
  });

  it('deletes the n-th pod of a workload, counted round', () => {
    const t = setUp();
    t.give({ what: 'apply', source: 'web.yaml:1', object: deployment({ app: 'web' }) });
    t.script(function* () {
      for (const name of ['a', 'b', 'c']) {
        const each = pod(name, { containers: [{ name: 'c', image: 'x' }] });
        yield* t.client.resource(PODS).create({ ...each, metadata: { ...each.metadata, labels: { app: 'web' } } });
      }
    });
    t.world.run(t.world.now + SECOND);
    t.give({ what: 'delete-pod', workload: 'default/web', ordinal: 4 });
    let gone: readonly string[] = [];
    t.script(function* () {
      const pods = yield* t.client.resource(PODS).list('default');
      const left = pods.ok ? pods.object.items.filter((p) => p.metadata.deletionTimestamp === undefined).map((p) => p.metadata.name) : [];
      gone = ['a', 'b', 'c'].filter((name) => !left.includes(name));
    });
    t.world.run(t.world.now + SECOND);
    expect(gone).toEqual(['b']);
  });

  it('does not know what became of an order while no server answers, and stops trying when it is told to', () => {
    const t = setUp();
    t.world.host('cp-0').crash();
    t.user.order({ what: 'scale', deployment: 'default/web', replicas: 1 });
    t.world.run(t.world.now + 30 * SECOND);
    expect(t.answers).toEqual([]);
    t.user.stop();
    t.world.run(t.world.now + 90 * SECOND);
    expect(t.answers).toEqual(['1 unknown']);
  });
});
