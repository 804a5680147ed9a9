import { MINUTE, type Micros } from '../sim/time.ts';
import { condition, field, isTerminal, keyOf, list, matchesLabels, number, text } from './fields.ts';
import type { Property } from './property.ts';

interface Pod {
  readonly key: string;
  readonly name: string;
  readonly object: object;
  /** Serves, as far as the store knows: ready, and nobody has asked it to go. */
  healthy: boolean;
  evicted: boolean;
}

interface Budget {
  readonly name: string;
  readonly namespace: string;
  readonly object: object;
}

/** After a pod was lost otherwise, budgets may be out of date for as long as controllers may look at old caches. */
const LOST_US: Micros = 10 * MINUTE;

/**
 * Evictions alone never bring a workload below its budget (kubernetes#82149). What is lost to crashes or deletions no budget can prevent, and
 * evictions that were granted before anybody knew of it are not judged.
 */
export const disruptionBudget: Property = {
  id: 'disruption-budget',
  about: 'Evictions leave as many healthy pods as the PodDisruptionBudget asks for.',
  clauses: [
    { id: 'enough-left', must: 'Where nothing but evictions takes pods away, an eviction leaves at least the budget of healthy pods.' },
  ],
  needsKubernetes: true,
  start({ facts, clock, violate }) {
    const pods = new Map<string, Pod>();
    const budgets = new Map<string, Budget>();
    const lostUs = new Map<string, Micros>();
    let judged = 0;
    const onPod = (key: string, object: object | undefined): void => {
      const before = pods.get(key);
      const namespace = key.slice('/registry/pods/'.length, key.lastIndexOf('/'));
      if (object === undefined) {
        pods.delete(key);
        if (before?.healthy === true) lostUs.set(namespace, clock.now);
        return;
      }
      const evicted = list(object, 'status', 'conditions').some(
        (c) => text(c, 'type') === 'DisruptionTarget' && text(c, 'reason') === 'EvictionByEvictionAPI',
      );
      const deleted = text(object, 'metadata', 'deletionTimestamp') !== '';
      const healthy = condition(object, 'Ready') === 'True' && !deleted && !evicted && !isTerminal(object);
      const pod: Pod = { key, name: keyOf(object), object, healthy, evicted };
      pods.set(key, pod);
      if (before?.healthy !== true || healthy) return;
      if (evicted && !before.evicted) judgeEviction(pod, namespace);
      else lostUs.set(namespace, clock.now);
    };
    const judgeEviction = (pod: Pod, namespace: string): void => {
      if (clock.now - (lostUs.get(namespace) ?? Number.NEGATIVE_INFINITY) < LOST_US) return;
      for (const budget of budgets.values()) {
        const selector = field(budget.object, 'spec', 'selector', 'matchLabels');
        if (budget.namespace !== namespace || !matchesLabels(selector, pod.object)) continue;
        judged++;
        const minimum = field(budget.object, 'spec', 'minAvailable');
        const needed = typeof minimum === 'number' ? minimum : number(budget.object, 0, 'status', 'desiredHealthy');
        const left = [...pods.values()].filter(
          (other) => other.healthy && matchesLabels(selector, other.object) && other.key.startsWith(`/registry/pods/${namespace}/`),
        );
        if (left.length >= needed) continue;
        violate({
          clause: 'enough-left',
          atUs: clock.now,
          sentence: `The eviction of ${pod.name} leaves ${left.length} healthy pods, where ${budget.name} asks for ${needed}.`,
          expected: `at least ${needed} healthy pods`,
          actual: `${left.length} healthy pods`,
          subjects: [budget.name, pod.name],
          facts: [{ atUs: clock.now, subject: pod.name, text: 'is evicted' }],
        });
      }
    };
    facts.objectChanged.subscribe((_revision, key, object) => {
      if (key.startsWith('/registry/pods/')) onPod(key, object);
      else if (key.startsWith('/registry/poddisruptionbudgets/')) {
        if (object === undefined) budgets.delete(key);
        else budgets.set(key, { name: keyOf(object), namespace: text(object, 'metadata', 'namespace'), object });
      }
    });
    return { exercised: () => judged };
  },
};
