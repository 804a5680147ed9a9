import { beforeEach, describe, expect, it } from 'vitest';
import { runToEnd } from '../../../sim/task.ts';
import { builtInKinds } from '../../api/kinds/registry.ts';
import type { Json, Status, UntypedObject } from '../../api/object.ts';
import type { ApiRequest, ApiResponse } from '../../api/request.ts';
import { ApiServerCore } from '../core.ts';
import { MemoryStorage } from '../memory-storage.ts';

/** What random requests found once, each as the shortest request that showed it. */
const user = { name: 'admin', groups: ['system:masters'] };

let core: ApiServerCore;
beforeEach(() => {
  let state = 1;
  core = new ApiServerCore({
    storage: new MemoryStorage(),
    environment: {
      now: () => 1_767_225_600_000_000,
      random: () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state;
      },
      setTimer: () => () => {},
      spawn: () => {},
    },
    kinds: builtInKinds,
    options: { watchCache: false, managedFields: true },
  });
});

function call(verb: ApiRequest['verb'], path: string, extra: Partial<ApiRequest> = {}): ApiResponse {
  const [group = '', version = '', resource = ''] = path.split('/');
  return runToEnd(core.handle({ verb, group, version, resource, namespace: 'default', user, userAgent: 'test', ...extra }));
}

function cluster(verb: ApiRequest['verb'], path: string, extra: Partial<ApiRequest> = {}): ApiResponse {
  const [group = '', version = '', resource = ''] = path.split('/');
  return runToEnd(core.handle({ verb, group, version, resource, user, userAgent: 'test', ...extra }));
}

const messageOf = (answer: ApiResponse): string => (answer.object as Status).message ?? '';

function configMap(data: unknown = { k: 'v' }): UntypedObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data } as UntypedObject;
}

function scaler(version: 'v1' | 'v2', spec: object = {}): UntypedObject {
  return {
    apiVersion: `autoscaling/${version}`,
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'a' },
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'a', apiVersion: 'apps/v1' }, maxReplicas: 3, ...spec },
  } as UntypedObject;
}

function patch(path: string, patchType: NonNullable<ApiRequest['patchType']>, body: unknown, extra: Partial<ApiRequest> = {}): ApiResponse {
  const options = patchType === 'apply' ? { options: { fieldManager: 'm', force: true } } : {};
  return call('patch', path, { name: 'a', patchType, patch: body as Json, ...options, ...extra });
}

describe('requests for what is answered but never stored', () => {
  it.each(['authorization.k8s.io/v1/subjectaccessreviews', 'authentication.k8s.io/v1/tokenreviews'])('%s has no members', (path) => {
    const [, , resource] = path.split('/');
    expect(cluster('patch', path, { name: 'a', patchType: 'apply', patch: {}, options: { fieldManager: 'm' } }).code, resource).toBe(404);
    expect(cluster('list', path).code).toBe(405);
  });

  it('bindings are not stored by an apply', () => {
    expect(patch('/v1/bindings', 'apply', { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'a' } }).code).toBe(404);
  });
});

describe('bodies', () => {
  it('metadata may be null', () => {
    const answer = call('create', '/v1/configmaps', { object: { ...configMap(), metadata: null } as unknown as UntypedObject });
    expect(answer.code).toBe(422);
    expect(messageOf(answer)).toContain('name or generateName is required');
  });

  it('a template may have no spec', () => {
    const template = { metadata: { labels: { app: 'a' } }, spec: null };
    const spec = { serviceName: 's', replicas: 2, selector: { matchLabels: { app: 'a' } }, template };
    const object = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'a' }, spec } as unknown as UntypedObject;
    const answer = call('create', 'apps/v1/statefulsets', { object });
    // Upstream validates labels and annotations of a StatefulSet's template, and not its spec (ValidatePodTemplateSpecForStatefulSet).
    expect(answer.code).toBe(201);
    expect(call('get', 'apps/v1/statefulsets', { name: 'a' }).object).toMatchObject({ spec: { template: { spec: { containers: null } } } });
  });

  it('an apply that is no map is told as its reader tells it', () => {
    expect(messageOf(patch('/v1/configmaps', 'apply', 'text'))).toContain(
      'cannot unmarshal string into Go value of type map[string]interface {}',
    );
    expect(messageOf(patch('/v1/configmaps', 'apply', null))).toBe('invalid object type: /, Kind=');
  });

  it('an apply of an object where a text belongs tells it as Go does', () => {
    const name = { toString: null, a: ['x', 1] };
    const answer = patch('/v1/configmaps', 'apply', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
    expect(messageOf(answer)).toContain(
      '.metadata.name: expected string, got &value.valueUnstructured{Value:map[string]interface {}{"a":[]interface {}{"x", 1}, "toString":interface {}(nil)}}',
    );
  });

  it('an apply without metadata that does not fit the schema is refused', () => {
    const answer = patch('/v1/configmaps', 'apply', { apiVersion: 'v1', kind: 'ConfigMap', data: [] });
    expect(messageOf(answer)).toContain('.data: expected map');
  });

  it('what is told of a misshapen part is told whatever its members are called', () => {
    const answer = patch('/v1/configmaps', 'apply', { apiVersion: 'v1', kind: 'ConfigMap', metadata: [{ toString: { a: 1 } }] });
    expect(messageOf(answer)).toContain('.metadata: expected map, got &{[map[toString:map[a:1]]]}');
  });

  it('an item of a keyed list may not be null', () => {
    const body = { apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', metadata: { name: 'a' }, spec: { drivers: [null] } };
    const answer = cluster('patch', 'storage.k8s.io/v1/csinodes', {
      name: 'a',
      patchType: 'apply',
      patch: body,
      options: { fieldManager: 'm' },
    });
    expect(messageOf(answer)).toContain('.spec.drivers: element 0: associative list with keys may not have a null element');
  });
});

describe('JSON patches', () => {
  beforeEach(() => {
    expect(call('create', '/v1/configmaps', { object: configMap() }).code).toBe(201);
  });

  it('an operation may be null, which is one without a name', () => {
    expect(patch('/v1/configmaps', 'json', [null]).code).toBe(422);
  });

  it('an operation of another type is refused by the decoder', () => {
    expect(messageOf(patch('/v1/configmaps', 'json', [1]))).toContain('cannot unmarshal number into Go value of type handlers.jsonPatchOp');
    expect(messageOf(patch('/v1/configmaps', 'json', [{ op: 'add', path: 1 }]))).toContain(
      'Go struct field jsonPatchOp.path of type string',
    );
  });

  it('may lead to an apiVersion that is no text', () => {
    expect(patch('/v1/configmaps', 'json', [{ op: 'copy', from: '/metadata', path: '/apiVersion' }]).code).toBe(422);
  });

  it('may lead to a document whose managed fields are null', () => {
    const operations = [
      { op: 'add', path: '/metadata/managedFields/0', value: null },
      { op: 'add', path: '/data', value: 1 },
    ];
    expect(patch('/v1/configmaps', 'json', operations).code).toBe(422);
  });

  it('may replace the document by another one only', () => {
    for (const value of [null, 1, 'text', []]) expect(patch('/v1/configmaps', 'json', [{ op: 'replace', path: '', value }]).code).toBe(422);
    expect(patch('/v1/configmaps', 'json', [{ op: 'add', path: '', value: configMap() }]).code).toBe(422);
    expect(patch('/v1/configmaps', 'json', [{ op: 'copy', from: '', path: '/data' }]).code).toBe(422);
    expect(patch('/v1/configmaps', 'json', [{ op: 'replace', path: '', value: configMap({ k: 'w' }) }]).object).toMatchObject({
      data: { k: 'w' },
    });
  });

  it('do not find what every JavaScript object has', () => {
    const answer = patch('/v1/configmaps', 'json', [{ op: 'copy', from: '/data/toString', path: '/data/k2' }]);
    // A copy of nothing adds nothing, where a function would be refused as no text.
    expect(answer.code).toBe(200);
  });

  it('of a scale are refused as all others', () => {
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'a' },
      spec: {
        selector: { matchLabels: { app: 'a' } },
        template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
      },
    } as unknown as UntypedObject;
    expect(call('create', 'apps/v1/deployments', { object: deployment }).code).toBe(201);
    expect(patch('apps/v1/deployments', 'json', [{ op: 'replace', path: '/x/y', value: 1 }], { subresource: 'scale' }).code).toBe(422);
    expect(patch('apps/v1/deployments', 'merge', [], { subresource: 'scale' }).code).toBe(400);
  });
});

describe('keys that JavaScript objects inherit', () => {
  const withKey = (value: string): unknown => JSON.parse(`{"data": {"__proto__": ${value}, "toString": "t"}}`);

  it.each(['merge', 'strategic', 'apply'] as const)('are members like any other in a %s patch', (patchType) => {
    expect(call('create', '/v1/configmaps', { object: configMap() }).code).toBe(201);
    const body = { ...(withKey('"p"') as object), ...(patchType === 'apply' ? { apiVersion: 'v1', kind: 'ConfigMap' } : {}) };
    const answer = patch('/v1/configmaps', patchType, body);
    expect(answer.code).toBe(200);
    const { data } = answer.object as unknown as { readonly data: object };
    expect(Object.keys(data).sort()).toEqual(['__proto__', 'k', 'toString']);
    expect(JSON.stringify(data)).toContain('"__proto__":"p"');
  });

  it('do not become a prototype', () => {
    expect(call('create', '/v1/podtemplates', { object: podTemplate() }).code).toBe(201);
    const answer = patch('/v1/podtemplates', 'strategic', JSON.parse('{"template": {"spec": {"__proto__": {"x": 1}}}}'));
    const { template } = answer.object as unknown as { readonly template: { readonly spec: object } };
    expect(Object.getPrototypeOf(template.spec)).toBe(Object.prototype);
  });

  function podTemplate(): UntypedObject {
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    return { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name: 'a' }, template: { metadata: {}, spec } } as UntypedObject;
  }
});

describe('kinds that are stored in one version and served in two', () => {
  it('a scaler made through v1 without a target has the CPU target of v2 when it is stored', () => {
    const answer = call('create', 'autoscaling/v1/horizontalpodautoscalers', { object: scaler('v1') });
    expect(answer.object).toMatchObject({ spec: { targetCPUUtilizationPercentage: 80 } });
    const metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }];
    const read = call('get', 'autoscaling/v2/horizontalpodautoscalers', { name: 'a' });
    expect(read.object).toMatchObject({ spec: { metrics } });
    const again = call('update', 'autoscaling/v2/horizontalpodautoscalers', { name: 'a', object: read.object as UntypedObject });
    expect((again.object as UntypedObject).metadata.resourceVersion).toBe((read.object as UntypedObject).metadata.resourceVersion);
  });

  it('an empty list of metrics is none', () => {
    expect(call('create', 'autoscaling/v2/horizontalpodautoscalers', { object: scaler('v2') }).code).toBe(201);
    const status = { desiredReplicas: 1, currentMetrics: [] };
    const answer = patch('autoscaling/v2/horizontalpodautoscalers', 'merge', { status }, { subresource: 'status' });
    expect(answer.object).toMatchObject({ status: { currentMetrics: null } });
  });

  it('the count of a series is printed in events.k8s.io and left out in core where it is 0', () => {
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'a' },
      involvedObject: { kind: 'Pod', namespace: 'default', name: 'a' },
      series: { lastObservedTime: null },
    } as unknown as UntypedObject;
    expect(call('create', '/v1/events', { object: event }).code).toBe(201);
    expect(call('get', 'events.k8s.io/v1/events', { name: 'a' }).object).toMatchObject({ series: { count: 0 } });
  });
});
