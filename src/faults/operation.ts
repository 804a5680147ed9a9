import type { Arbitrary } from 'fast-check';

/** Operations on users' objects are drawn by the scenario, which knows the objects, not by the cluster's shape. */
export function operationArbitrary(): Arbitrary<never> | undefined {
  return undefined;
}
