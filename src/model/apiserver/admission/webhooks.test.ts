import { describe, expect, it } from 'vitest';
import { runToEnd } from '../../../sim/task.ts';
import { builtInKinds } from '../../api/kinds/registry.ts';
import type { Status, UntypedObject } from '../../api/object.ts';
import type { ApiResponse, RequestOptions } from '../../api/request.ts';
import { ApiServerCore } from '../core.ts';
import { MemoryStorage } from '../memory-storage.ts';
import { mutatingAdmissionWebhook, validatingAdmissionWebhook } from './webhooks.ts';

const user = { name: 'jane', groups: ['people'] };

interface Review {
  readonly apiVersion: string;
  readonly request: { readonly uid: string; readonly object: UntypedObject | null; readonly operation: string; readonly dryRun: boolean };
}

type Labels = Readonly<Record<string, string>>;
type Hook = (labels: Labels, review: Review) => object;

/** A server whose webhooks are functions by host name. */
class Fixture {
  readonly calls: string[] = [];
  readonly core: ApiServerCore;

  constructor(hooks: Readonly<Record<string, Hook>>) {
    let state = 1;
    this.core = new ApiServerCore({
      storage: new MemoryStorage(),
      environment: {
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
      },
      kinds: builtInKinds,
      admission: [mutatingAdmissionWebhook, validatingAdmissionWebhook],
      webhooks: {
        // biome-ignore lint/correctness/useYield: a task that answers at once
        post: function* (this: Fixture, { address }: { readonly address: string }, body: object) {
          const review = body as Review;
          const labels = review.request.object?.metadata.labels ?? {};
          this.calls.push(`${address} ${Object.keys(labels).join(',')}`);
          const hook = hooks[address];
          if (hook === undefined) return { error: 'no such host' };
          return {
            body: {
              kind: 'AdmissionReview',
              apiVersion: review.apiVersion,
              response: { uid: review.request.uid, ...hook(labels, review) },
            },
          };
        }.bind(this),
      },
    });
    this.core.startCaches();
    this.create('', 'namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default', labels: { team: 'a' } } }, '');
  }

  create(group: string, resource: string, object: object, namespace = 'default', options: RequestOptions = {}): ApiResponse {
    const where = namespace === '' ? {} : { namespace };
    return runToEnd(
      this.core.handle({ verb: 'create', group, version: 'v1', resource, ...where, object: object as UntypedObject, options, user }),
    );
  }

  configure(sort: 'Validating' | 'Mutating', name: string, webhooks: readonly object[]): void {
    const made = this.create(
      'admissionregistration.k8s.io',
      `${sort.toLowerCase()}webhookconfigurations`,
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: `${sort}WebhookConfiguration`,
        metadata: { name },
        webhooks: webhooks.map((webhook) => ({
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
          ...webhook,
        })),
      },
      '',
    );
    if (made.code !== 201) throw new Error((made.object as Status).message);
    this.calls.length = 0;
  }

  map(name: string, options: RequestOptions = {}, labels: Labels = {}): ApiResponse {
    return this.create('', 'configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels } }, 'default', options);
  }
}

function at(host: string, extra: object = {}): object {
  return { name: `${host}.example.com`, clientConfig: { url: `https://${host}/` }, ...extra };
}

const allow: Hook = () => ({ allowed: true });
const add =
  (key: string): Hook =>
  (labels) =>
    labels[key] === undefined
      ? { allowed: true, patchType: 'JSONPatch', patch: [{ op: 'add', path: '/metadata/labels', value: { ...labels, [key]: '' } }] }
      : { allowed: true };

function labelsOf({ object }: ApiResponse): readonly string[] {
  return Object.keys((object as UntypedObject).metadata.labels ?? {});
}

function messageOf({ object }: ApiResponse): string {
  return (object as Status).message ?? '';
}

describe('mutating webhooks', () => {
  it('are called by the names of their configurations, each with what those before it made', () => {
    const fixture = new Fixture({ one: add('one'), two: add('two'), three: add('three') });
    fixture.configure('Mutating', 'b', [at('three')]);
    fixture.configure('Mutating', 'a', [at('one'), at('two')]);
    expect(labelsOf(fixture.map('m'))).toEqual(['one', 'two', 'three']);
    expect(fixture.calls).toEqual(['one ', 'two one', 'three one,two']);
  });

  it('are called again when they ask for it and somebody after them changed something', () => {
    const fixture = new Fixture({ one: add('one'), two: add('two') });
    fixture.configure('Mutating', 'a', [at('one', { reinvocationPolicy: 'IfNeeded' }), at('two', { reinvocationPolicy: 'IfNeeded' })]);
    fixture.map('m');
    // The second changed what the first had seen; nothing changed after the second.
    expect(fixture.calls).toEqual(['one ', 'two one', 'one one,two']);
  });

  it('are shown the object that a delete takes', () => {
    const seen: unknown[] = [];
    const fixture = new Fixture({
      one: (_, { request }) => {
        seen.push(request.operation, (request as unknown as { oldObject: UntypedObject | null }).oldObject?.metadata.name);
        return { allowed: true };
      },
    });
    const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['DELETE'], resources: ['configmaps'] }];
    fixture.configure('Mutating', 'a', [at('one', { rules })]);
    fixture.map('m');
    runToEnd(
      fixture.core.handle({ verb: 'delete', group: '', version: 'v1', resource: 'configmaps', namespace: 'default', name: 'm', user }),
    );
    expect(seen).toEqual(['DELETE', 'm']);
  });

  it('that say no end the request', () => {
    const fixture = new Fixture({ one: () => ({ allowed: false, status: { code: 403, message: 'never' } }) });
    fixture.configure('Mutating', 'a', [at('one')]);
    const refused = fixture.map('m');
    expect(refused.code).toBe(403);
    expect(messageOf(refused)).toBe('admission webhook "one.example.com" denied the request: never');
  });
});

describe('validating webhooks', () => {
  it('are asked only for what they match', () => {
    const fixture = new Fixture({ one: allow, two: allow, three: allow, four: allow });
    fixture.configure('Validating', 'a', [
      at('one', { objectSelector: { matchLabels: { wanted: 'yes' } } }),
      at('two', { namespaceSelector: { matchLabels: { team: 'b' } } }),
      at('three', { matchConditions: [{ name: 'c', expression: "object.metadata.name.startsWith('x')" }] }),
      at('four', { rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['*'] }] }),
    ]);
    fixture.map('a');
    expect(fixture.calls).toEqual([]);
    fixture.map('x', {}, { wanted: 'yes' });
    expect(fixture.calls).toEqual(['one wanted', 'three wanted']);
  });

  it('fail closed or open by their policy', () => {
    const fixture = new Fixture({});
    fixture.configure('Validating', 'a', [at('gone', { failurePolicy: 'Ignore' })]);
    expect(fixture.map('a').code).toBe(201);
    fixture.configure('Validating', 'b', [at('gone')]);
    expect(messageOf(fixture.map('b'))).toContain(
      'failed calling webhook "gone.example.com": failed to call webhook: Post "https://gone/?timeout=10s"',
    );
  });

  it('with side effects are not asked about a dry run', () => {
    const fixture = new Fixture({ one: (_, { request }) => ({ allowed: request.dryRun }) });
    fixture.configure('Validating', 'a', [at('one', { sideEffects: 'NoneOnDryRun' })]);
    expect(fixture.map('a', { dryRun: ['All'] }).code).toBe(201);
    expect(fixture.map('a').code).toBe(400);
  });

  it('must answer the review that they were sent', () => {
    const fixture = new Fixture({ one: () => ({ uid: 'other', allowed: true }) });
    fixture.configure('Validating', 'a', [at('one')]);
    expect(messageOf(fixture.map('a'))).toContain('received invalid webhook response: expected response.uid=');
  });

  it('add warnings', () => {
    const fixture = new Fixture({ one: () => ({ allowed: true, warnings: ['mind the gap'] }) });
    fixture.configure('Validating', 'a', [at('one')]);
    expect(fixture.map('a').warnings).toEqual(['mind the gap']);
  });
});
