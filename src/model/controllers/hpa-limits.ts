import type { HPAScalingRules } from '../api/types.ts';
import { type Micros, SECOND } from '../../sim/time.ts';

/** A number of replicas once wanted, or once changed by, and when. */
export interface Stamped {
  readonly replicas: number;
  readonly at: Micros;
}

/** What one autoscaler remembers between its syncs. */
export interface HpaMemory {
  recommendations: readonly Stamped[];
  ups: readonly Stamped[];
  downs: readonly Stamped[];
}

export interface Limited {
  readonly replicas: number;
  readonly reason: string;
  readonly message: string;
}

const within: Omit<Limited, 'replicas'> = { reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' };
const tooFew: Omit<Limited, 'replicas'> = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
};
const tooMany: Omit<Limited, 'replicas'> = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
};
const upLimit: Omit<Limited, 'replicas'> = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
};
const downLimit: Omit<Limited, 'replicas'> = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
};

interface Policy {
  readonly type: string;
  readonly value: number;
  readonly periodSeconds: number;
}

/** Rules as the API defaults them: upstream autoscaling/v2 defaults. */
export interface Rules {
  readonly policies: readonly Policy[];
  readonly select: string;
  readonly windowUs: Micros;
}

const defaultUp: readonly Policy[] = [
  { type: 'Pods', value: 4, periodSeconds: 15 },
  { type: 'Percent', value: 100, periodSeconds: 15 },
];
const defaultDown: readonly Policy[] = [{ type: 'Percent', value: 100, periodSeconds: 15 }];

export function upRules(rules: HPAScalingRules | undefined): Rules {
  return {
    policies: rules?.policies ?? defaultUp,
    select: rules?.selectPolicy ?? 'Max',
    windowUs: (rules?.stabilizationWindowSeconds ?? 0) * SECOND,
  };
}

export function downRules(rules: HPAScalingRules | undefined, windowUs: Micros): Rules {
  const seconds = rules?.stabilizationWindowSeconds;
  return {
    policies: rules?.policies ?? defaultDown,
    select: rules?.selectPolicy ?? 'Max',
    windowUs: seconds === undefined ? windowUs : seconds * SECOND,
  };
}

/** Neither up on the first high wish nor down on the first low one: upstream stabilizeRecommendationWithBehaviors. */
export function stabilized(
  memory: HpaMemory,
  desired: number,
  current: number,
  upWindowUs: Micros,
  downWindowUs: Micros,
  now: Micros,
): number {
  let lowest = desired;
  let highest = desired;
  for (const { replicas, at } of memory.recommendations) {
    if (at > now - upWindowUs) lowest = Math.min(lowest, replicas);
    if (at > now - downWindowUs) highest = Math.max(highest, replicas);
  }
  const longest = Math.max(upWindowUs, downWindowUs);
  memory.recommendations = [...memory.recommendations.filter(({ at }) => at > now - longest), { replicas: desired, at: now }];
  return Math.min(Math.max(current, lowest), highest);
}

function changes(events: readonly Stamped[], periodSeconds: number, now: Micros): number {
  return events.reduce((sum, { replicas, at }) => (at > now - periodSeconds * SECOND ? sum + replicas : sum), 0);
}

/** How far the policies let the count grow: upstream calculateScaleUpLimitWithScalingRules. */
function growthLimit(memory: HpaMemory, rules: Rules, current: number, now: Micros): number {
  if (rules.select === 'Disabled') return current;
  const proposals = rules.policies.map(({ type, value, periodSeconds }) => {
    const start = current - changes(memory.ups, periodSeconds, now) + changes(memory.downs, periodSeconds, now);
    return type === 'Pods' ? start + value : Math.ceil((start * (100 + value)) / 100);
  });
  return rules.select === 'Min' ? Math.min(...proposals) : Math.max(0, ...proposals);
}

/** How far the policies let the count fall. */
function shrinkLimit(memory: HpaMemory, rules: Rules, current: number, now: Micros): number {
  if (rules.select === 'Disabled') return current;
  const proposals = rules.policies.map(({ type, value, periodSeconds }) => {
    const start = current - changes(memory.ups, periodSeconds, now) + changes(memory.downs, periodSeconds, now);
    return type === 'Pods' ? start - value : Math.trunc((start * (100 - value)) / 100);
  });
  return rules.select === 'Min' ? Math.max(...proposals) : Math.min(...proposals);
}

/** Upstream convertDesiredReplicasWithBehaviorRate. */
export function limitByRules(
  memory: HpaMemory,
  up: Rules,
  down: Rules,
  desired: number,
  current: number,
  min: number,
  max: number,
  now: Micros,
): Limited {
  if (desired > current) {
    const limit = Math.max(current, growthLimit(memory, up, current, now));
    const allowed = Math.min(max, limit);
    if (desired > allowed) return { replicas: allowed, ...(max > limit ? upLimit : tooMany) };
  } else if (desired < current) {
    const limit = Math.min(current, shrinkLimit(memory, down, current, now));
    const allowed = Math.max(min, limit);
    if (desired < allowed) return { replicas: allowed, ...(min < limit ? downLimit : tooFew) };
  }
  return { replicas: desired, ...within };
}

/** Without spec.behavior: at most twice as many, or four. Upstream convertDesiredReplicasWithRules. */
export function limitPlainly(desired: number, current: number, min: number, max: number): Limited {
  const limit = Math.max(2 * current, 4);
  const allowed = Math.min(max, limit);
  if (desired < min) return { replicas: min, ...tooFew };
  if (desired > allowed) return { replicas: allowed, ...(max > limit ? upLimit : tooMany) };
  return { replicas: desired, ...within };
}

/** Remembers a change for the policies' periods. */
export function noteChange(memory: HpaMemory, from: number, to: number, now: Micros): void {
  const hour = 3600 * SECOND;
  const fresh = (events: readonly Stamped[]): readonly Stamped[] => events.filter(({ at }) => at > now - hour);
  if (to > from) memory.ups = [...fresh(memory.ups), { replicas: to - from, at: now }];
  else memory.downs = [...fresh(memory.downs), { replicas: from - to, at: now }];
}
