import { describe, expect, it } from 'vitest';
import { runToEnd } from '../../../sim/task.ts';
import { builtInKinds } from '../../api/kinds/registry.ts';
import type { Status, UntypedObject } from '../../api/object.ts';
import type { ApiResponse, RequestOptions, Verb } from '../../api/request.ts';
import { ApiServerCore } from '../core.ts';
import type { ServerEnvironment } from '../environment.ts';
import { MemoryStorage } from '../memory-storage.ts';
import type { Authorizer } from '../server-context.ts';
import { validatingAdmissionPolicyPlugin } from './validating-policy.ts';

const user = { name: 'jane', groups: ['people'] };
const registration = { group: 'admissionregistration.k8s.io', version: 'v1' };

function environment(): ServerEnvironment {
  let state = 1;
  return {
    now: () => 1_700_000_000_000_000,
    random: () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state;
    },
    setTimer: () => () => {},
    spawn: (task) => {
      task.next()?.value?.(
        () => {},
        () => {},
      );
    },
  };
}

class Fixture {
  readonly core: ApiServerCore;

  constructor(authorizer?: Authorizer) {
    this.core = new ApiServerCore({
      storage: new MemoryStorage(),
      environment: environment(),
      kinds: builtInKinds,
      admission: [validatingAdmissionPolicyPlugin],
      ...(authorizer === undefined ? {} : { authorizer }),
    });
    this.core.startCaches();
    for (const [name, team] of [
      ['default', 'a'],
      ['other', 'b'],
    ] as const)
      this.call('create', '', 'namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { team } } }, '');
  }

  call(verb: Verb, group: string, resource: string, object: object, namespace = 'default', options: RequestOptions = {}): ApiResponse {
    const named = (object as UntypedObject).metadata.name ?? '';
    return runToEnd(
      this.core.handle({
        verb,
        group,
        version: 'v1',
        resource,
        ...(namespace === '' ? {} : { namespace }),
        ...(verb === 'create' ? {} : { name: named }),
        object: object as UntypedObject,
        options,
        user,
      }),
    );
  }

  policy(name: string, spec: object, binding: object = {}): void {
    const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['configmaps'] };
    const made = [
      this.call(
        'create',
        registration.group,
        'validatingadmissionpolicies',
        {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingAdmissionPolicy',
          metadata: { name },
          spec: { matchConstraints: { resourceRules: [rule] }, ...spec },
        },
        '',
      ),
      this.call(
        'create',
        registration.group,
        'validatingadmissionpolicybindings',
        {
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingAdmissionPolicyBinding',
          metadata: { name },
          spec: { policyName: name, validationActions: ['Deny'], ...binding },
        },
        '',
      ),
    ];
    for (const { code, object } of made) if (code !== 201) throw new Error((object as Status).message);
  }

  create(data: Record<string, string>, namespace = 'default', name = 'c'): ApiResponse {
    return this.call('create', '', 'configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }, namespace);
  }
}

function messageOf({ object }: ApiResponse): string | undefined {
  return (object as Status).message;
}

describe('ValidatingAdmissionPolicy', () => {
  it('sees variables, the request and the namespace', () => {
    const fixture = new Fixture();
    fixture.policy('p', {
      variables: [
        { name: 'size', expression: 'object.data.size()' },
        { name: 'twice', expression: 'variables.size * 2' },
      ],
      validations: [
        { expression: "request.userInfo.username == 'jane' && namespaceObject.metadata.labels['team'] == 'a'" },
        { expression: 'variables.twice < 4', messageExpression: "string(variables.twice) + ' is too many'", reason: 'Forbidden' },
      ],
    });
    expect(fixture.create({ a: '1' }).code).toBe(201);
    const denied = fixture.create({ a: '1', b: '2' }, 'default', 'd');
    expect(denied.code).toBe(403);
    expect(messageOf(denied)).toBe(
      `configmaps "d" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'p' denied request: 4 is too many`,
    );
    expect(messageOf(fixture.create({ a: '1' }, 'other'))).toContain('failed expression: request.userInfo.username');
  });

  it('is only for what its constraints, its binding and its conditions match', () => {
    const fixture = new Fixture();
    const spec = { validations: [{ expression: 'false' }], matchConditions: [{ name: 'big', expression: "'big' in object.data" }] };
    fixture.policy('p', spec, { matchResources: { namespaceSelector: { matchLabels: { team: 'b' } } } });
    expect(fixture.create({ big: '1' }).code).toBe(201);
    expect(fixture.create({ small: '1' }, 'other').code).toBe(201);
    expect(fixture.create({ big: '1' }, 'other', 'd').code).toBe(422);
  });

  it('fails closed or open when an expression fails', () => {
    const closed = new Fixture();
    closed.policy('p', { validations: [{ expression: "object.data.gone == 'x'" }] });
    expect(messageOf(closed.create({}))).toContain("expression 'object.data.gone == 'x'' resulted in error: no such key: ");
    const open = new Fixture();
    open.policy('p', { failurePolicy: 'Ignore', validations: [{ expression: "object.data.gone == 'x'" }] });
    expect(open.create({}).code).toBe(201);
  });

  it('takes its parameters from the objects that its binding names', () => {
    const fixture = new Fixture();
    const spec = {
      paramKind: { apiVersion: 'v1', kind: 'Secret' },
      validations: [{ expression: "object.data['a'] == params.metadata.labels['wanted']" }],
    };
    fixture.policy('p', spec, { paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' } });
    expect(messageOf(fixture.create({ a: 'x' }))).toContain(
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    );
    fixture.call('create', '', 'secrets', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'limits', labels: { wanted: 'x' } } });
    expect(fixture.create({ a: 'x' }).code).toBe(201);
    expect(fixture.create({ a: 'y' }, 'default', 'd').code).toBe(422);
  });

  it('asks the authorizer', () => {
    const asked: string[] = [];
    const fixture = new Fixture({
      // biome-ignore lint/correctness/useYield: a task that answers at once
      *authorize({ user: who, verb, resource, namespace }) {
        asked.push(`${who.name} ${verb} ${resource} ${namespace}`);
        return { allowed: verb !== 'breakglass', reason: '' };
      },
    });
    fixture.policy('p', {
      validations: [{ expression: "authorizer.group('').resource('configmaps').namespace('default').check('breakglass').allowed()" }],
    });
    expect(fixture.create({}).code).toBe(422);
    expect(asked).toContain('jane breakglass configmaps default');
  });

  it('leaves its own configuration alone', () => {
    const fixture = new Fixture();
    const rule = { apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*'] };
    fixture.policy('p', { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: 'false' }] });
    expect(fixture.create({}).code).toBe(422);
    expect(() => fixture.policy('q', { validations: [{ expression: 'true' }] })).not.toThrow();
  });

  it('judges a delete by the object that goes', () => {
    const fixture = new Fixture();
    const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['DELETE'], resources: ['configmaps'] };
    fixture.policy('p', {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: "object == null && !('keep' in oldObject.data)" }],
    });
    fixture.create({ keep: '1' });
    fixture.create({ other: '1' }, 'default', 'd');
    const remove = (name: string): number =>
      runToEnd(fixture.core.handle({ verb: 'delete', group: '', version: 'v1', resource: 'configmaps', namespace: 'default', name, user }))
        .code;
    expect(remove('c')).toBe(422);
    expect(remove('d')).toBe(200);
  });
});
