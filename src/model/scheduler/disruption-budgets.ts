import { labelsMatch, selectorOf } from '../api/label-selector.ts';
import type { PodDisruptionBudget } from '../api/types.ts';
import type { PodInfo } from './pod-info.ts';

/** Sorts victims by whether their eviction would violate a budget, if they went in this order: upstream filterPodsWithPDBViolation. */
export function splitByBudget(
  victims: readonly PodInfo[],
  budgets: readonly PodDisruptionBudget[],
): { readonly violating: readonly PodInfo[]; readonly others: readonly PodInfo[] } {
  if (budgets.length === 0) return { violating: [], others: victims };
  const allowed = budgets.map((budget) => budget.status?.disruptionsAllowed ?? 0);
  const violating: PodInfo[] = [];
  const others: PodInfo[] = [];
  for (const victim of victims) {
    const { metadata } = victim.pod;
    let violates = false;
    for (const [i, budget] of budgets.entries()) {
      if (budget.metadata.namespace !== metadata.namespace || metadata.labels === undefined) continue;
      const selector = selectorOf(budget.spec?.selector);
      // A budget with an empty selector counts for nothing here, unlike in the eviction API.
      if (selector.length === 0 || !labelsMatch(selector, metadata.labels)) continue;
      // Already on its way out, and counted.
      if (budget.status?.disruptedPods !== undefined && Object.hasOwn(budget.status.disruptedPods, metadata.name ?? '')) continue;
      allowed[i] = (allowed[i] as number) - 1;
      if ((allowed[i] as number) < 0) violates = true;
    }
    if (violates) violating.push(victim);
    else others.push(victim);
  }
  return { violating, others };
}
