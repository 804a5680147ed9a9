import { describe, expect, it } from 'vitest';
import { runToEnd, type Task } from '../../../sim/task.ts';
import { builtInKinds } from '../../api/kinds/registry.ts';
import type { UntypedObject } from '../../api/object.ts';
import type { ApiRequest, ApiResponse } from '../../api/request.ts';
import type { Pod, PodDisruptionBudget } from '../../api/types.ts';
import { ApiServerCore } from '../core.ts';
import { MemoryStorage } from '../memory-storage.ts';

const user = { name: 'admin', groups: ['system:masters'] };

/** Runs a task on timers that the test lets come. */
function runTask<T>(task: Task<T>, onDone: (value: T) => void, answer?: unknown): void {
  const step = task.next(answer);
  if (step.done === true) onDone(step.value);
  else
    step.value(
      (next) => runTask(task, onDone, next),
      (error) => void task.throw(error),
    );
}

class Fixture {
  now = 1_700_000_000_000_000;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];
  readonly #core: ApiServerCore;

  constructor() {
    let state = 1;
    this.#core = new ApiServerCore({
      storage: new MemoryStorage(),
      environment: {
        now: () => this.now,
        random: () => {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          return state;
        },
        setTimer: (delayUs, callback) => {
          const timer = { at: this.now + delayUs, callback };
          this.#timers.push(timer);
          return () => {
            this.#timers = this.#timers.filter((other) => other !== timer);
          };
        },
        spawn: (task) => void runTask(task, () => {}),
      },
      kinds: builtInKinds,
    });
    this.#core.startCaches();
  }

  ask(verb: ApiRequest['verb'], group: string, resource: string, more: Partial<ApiRequest>): ApiResponse {
    return runToEnd(this.#core.handle({ verb, group, version: 'v1', resource, namespace: 'default', user, ...more }));
  }

  /** A running pod under a budget that allows so many disruptions. */
  pod(name: string, phase: string, ready: boolean): void {
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    this.ask('create', '', 'pods', {
      object: { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: 'a' } }, spec } as UntypedObject,
    });
    this.status('', 'pods', name, { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] });
  }

  status(group: string, resource: string, name: string, status: object): void {
    const { object } = this.ask('get', group, resource, { name });
    this.ask('update', group, resource, { name, subresource: 'status', object: { ...(object as UntypedObject), status } as UntypedObject });
  }

  budget(disruptionsAllowed: number, unhealthyPodEvictionPolicy?: string): void {
    const spec = { selector: { matchLabels: { app: 'a' } }, maxUnavailable: 2, unhealthyPodEvictionPolicy };
    const object = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'b' }, spec };
    this.ask('create', 'policy', 'poddisruptionbudgets', { object: object as UntypedObject });
    const status = { observedGeneration: 1, disruptionsAllowed, currentHealthy: 2, desiredHealthy: 0, expectedPods: 2 };
    this.status('policy', 'poddisruptionbudgets', 'b', status);
  }

  allowed(): number | undefined {
    return (this.ask('get', 'policy', 'poddisruptionbudgets', { name: 'b' }).object as PodDisruptionBudget).status?.disruptionsAllowed;
  }

  isGoing(name: string): boolean {
    const { code, object } = this.ask('get', '', 'pods', { name });
    return code === 404 || (object as Pod).metadata.deletionTimestamp !== undefined;
  }

  evict(name: string): { readonly answers: ApiResponse[] } {
    const answers: ApiResponse[] = [];
    const object = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } } as UntypedObject;
    const request = {
      verb: 'create',
      group: '',
      version: 'v1',
      resource: 'pods',
      subresource: 'eviction',
      namespace: 'default',
      name,
      object,
      user,
    };
    runTask(this.#core.handle(request as ApiRequest), (answer) => answers.push(answer));
    return { answers };
  }

  advance(byUs: number): void {
    const until = this.now + byUs;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.now = next.at;
      next.callback();
    }
    this.now = until;
  }
}

describe('eviction', () => {
  it('of two at once lets one win the write of the budget, and tries the other again after half a second', () => {
    const fixture = new Fixture();
    fixture.pod('p', 'Running', true);
    fixture.pod('q', 'Running', true);
    fixture.budget(2);
    const p = fixture.evict('p');
    const q = fixture.evict('q');
    fixture.advance(100_000);
    expect(p.answers).toMatchObject([{ code: 201 }]);
    expect(q.answers).toEqual([]);
    expect(fixture.allowed()).toBe(1);
    fixture.advance(300_000);
    expect(fixture.isGoing('q')).toBe(false);
    fixture.advance(200_000);
    expect(q.answers).toMatchObject([{ code: 201 }]);
    expect(fixture.allowed()).toBe(0);
    expect(fixture.isGoing('q')).toBe(true);
  });

  it('that lost finds by then that nothing is allowed any more', () => {
    const fixture = new Fixture();
    fixture.pod('p', 'Running', true);
    fixture.pod('q', 'Running', true);
    fixture.budget(1);
    fixture.evict('p');
    const q = fixture.evict('q');
    fixture.advance(700_000);
    expect(q.answers).toMatchObject([{ code: 429, object: { reason: 'TooManyRequests' } }]);
    expect(fixture.isGoing('q')).toBe(false);
  });

  it('of an unready pod that need not be charged is refused when the pod has changed meanwhile', () => {
    const fixture = new Fixture();
    fixture.pod('p', 'Running', false);
    fixture.budget(0, 'AlwaysAllow');
    const p = fixture.evict('p');
    fixture.status('', 'pods', 'p', { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] });
    fixture.advance(100_000);
    expect(p.answers).toMatchObject([{ code: 429, object: { details: { retryAfterSeconds: 10 } } }]);
    expect(fixture.isGoing('p')).toBe(false);
  });

  it('of a pending pod asks no budget', () => {
    const fixture = new Fixture();
    fixture.pod('p', 'Pending', false);
    fixture.budget(0);
    expect(fixture.evict('p').answers).toMatchObject([{ code: 201 }]);
    expect(fixture.allowed()).toBe(0);
  });
});
