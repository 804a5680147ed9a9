import { describe, expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import type { UntypedObject } from '../api/object.ts';
import type { Pod } from '../api/types.ts';
import type { Resource } from '../client/resources.ts';
import { pod, testCluster } from '../kubelet/test-cluster.fixture.ts';
import { mutatingAdmissionWebhook, validatingAdmissionWebhook } from './admission/webhooks.ts';

type TestCluster = ReturnType<typeof testCluster>;

function resource(group: string, name: string, kind: string, namespaced: boolean): Resource<UntypedObject> {
  return { group, version: 'v1', resource: name, kind, namespaced } as unknown as Resource<UntypedObject>;
}

const registration = 'admissionregistration.k8s.io';
const validating = resource(registration, 'validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', false);
const mutating = resource(registration, 'mutatingwebhookconfigurations', 'MutatingWebhookConfiguration', false);
const services = resource('', 'services', 'Service', true);
const slices = resource('discovery.k8s.io', 'endpointslices', 'EndpointSlice', true);
const maps = resource('', 'configmaps', 'ConfigMap', true);

interface Made {
  readonly code: number;
  readonly message: string;
  readonly labels: unknown;
  readonly seconds: number;
}

function create(t: TestCluster, of: Resource<UntypedObject>, object: object): Made {
  let made: Made | undefined;
  t.script(function* () {
    const begun = t.world.now;
    const result = yield* t.client.resource(of).create(object as UntypedObject);
    const seconds = Math.round((t.world.now - begun) / SECOND);
    made = result.ok
      ? { code: 201, message: '', labels: result.object.metadata.labels, seconds }
      : { code: result.code, message: result.status?.message ?? '', labels: undefined, seconds };
  });
  t.world.run(t.world.now + 40 * SECOND);
  if (made === undefined) throw new Error('no answer');
  return made;
}

function map(name: string): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', labels: { given: 'yes' } } };
}

/** A cluster in which a pod on worker-0 answers reviews behind a service. */
function withWebhook(rule: string): TestCluster {
  const t = testCluster({ admission: [mutatingAdmissionWebhook, validatingAdmissionWebhook] });
  const container: Pod['spec']['containers'][number] = { name: 'c', image: 'registry.example/hook:1', ports: [{ containerPort: 8443 }] };
  const annotations = { 'seatrial.dev/behaviour': 'admission-webhook', 'seatrial.dev/webhook': rule };
  t.script(function* () {
    yield* t.client
      .resource(resource('', 'pods', 'Pod', true))
      .create(pod('hook', { containers: [container] }, annotations) as unknown as UntypedObject);
  });
  t.world.run(t.world.now + 10 * SECOND);
  create(t, services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'hook', namespace: 'default' },
    spec: { ports: [{ name: 'https', port: 443, targetPort: 8443 }] },
  });
  create(t, slices, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'hook-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'hook' } },
    addressType: 'IPv4',
    ports: [{ name: 'https', port: 8443, protocol: 'TCP' }],
    endpoints: [{ addresses: ['10.244.0.2'], conditions: { ready: true } }],
  });
  return t;
}

function configuration(kind: string, webhook: object): object {
  return {
    apiVersion: `${registration}/v1`,
    kind,
    metadata: { name: 'hook' },
    webhooks: [
      {
        name: 'hook.example.com',
        clientConfig: { service: { namespace: 'default', name: 'hook' } },
        rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 3,
        ...webhook,
      },
    ],
  };
}

function cutOff(t: TestCluster): void {
  const api = t.world.host('cp-0');
  const worker = t.world.host('worker-0');
  const counter = { touched: 0 };
  t.world.network.block(api, worker, counter);
  t.world.network.block(worker, api, counter);
}

describe('webhooks behind the network', () => {
  it('are asked, and may say no', () => {
    const t = withWebhook('deny not today');
    expect(create(t, validating, configuration('ValidatingWebhookConfiguration', {})).code).toBe(201);
    expect(create(t, maps, map('a'))).toMatchObject({
      code: 403,
      message: 'admission webhook "hook.example.com" denied the request: not today',
      seconds: 0,
    });
  });

  it('may change what is created', () => {
    const t = withWebhook('add-label made=here');
    create(t, mutating, configuration('MutatingWebhookConfiguration', {}));
    expect(create(t, maps, map('a'))).toMatchObject({ code: 201, labels: { given: 'yes', made: 'here' } });
  });

  it('that cannot be reached refuse all, or nothing, by their failure policy; both after their time-out', () => {
    const closed = withWebhook('allow');
    create(closed, validating, configuration('ValidatingWebhookConfiguration', { failurePolicy: 'Fail' }));
    expect(create(closed, maps, map('a')).code).toBe(201);
    cutOff(closed);
    expect(create(closed, maps, map('b'))).toMatchObject({
      code: 500,
      message:
        'Internal error occurred: failed calling webhook "hook.example.com": failed to call webhook: Post "https://hook.default.svc:443/?timeout=3s": context deadline exceeded',
      seconds: 3,
    });
    const open = withWebhook('deny never');
    create(open, validating, configuration('ValidatingWebhookConfiguration', { failurePolicy: 'Ignore' }));
    expect(create(open, maps, map('a')).code).toBe(403);
    cutOff(open);
    expect(create(open, maps, map('b'))).toMatchObject({ code: 201, seconds: 3 });
  });
});
