import { MILLISECOND } from '../sim/time.ts';
import type { LinkModifier } from '../sim/link.ts';
import type { Fault, FaultParams } from './fault.ts';
import { operationArbitrary } from './operation.ts';
import { clusterHosts } from './topology.ts';

export interface LinkHoldParams extends FaultParams {
  readonly kind: 'link-hold';
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly holdMs: number;
}

/** A queue in one direction of the network: messages get old in it, and none is lost. */
export const linkHold: Fault<LinkHoldParams> = {
  kind: 'link-hold',
  about: 'What the first hosts send to the second stays in the network for a while; then it all arrives, in order.',
  operation: false,
  params: {
    from: { type: 'names', of: clusterHosts, min: 1 },
    to: { type: 'names', of: clusterHosts, min: 1 },
    holdMs: { type: 'integer', min: 1, max: 60_000, unit: 'ms' },
  },
  // Two sides that belong together: only a scenario knows them.
  arbitrary: operationArbitrary,
  describe: (p) => `hold ${p.from.join(' ')} → ${p.to.join(' ')} for ${p.holdMs} ms`,
  lanes: (p) => [...p.from, ...p.to],
  inject: (target, p) => {
    const { world } = target;
    const modifier: LinkModifier = { heldUntilUs: world.now + p.holdMs * MILLISECOND, touched: 0 };
    const links = p.from.flatMap((from) => p.to.map((to) => world.network.link(world.host(from), world.host(to))));
    for (const link of links) link?.addModifier(modifier);
    return {
      heal: () => {
        for (const link of links) link?.removeModifier(modifier);
      },
      touched: () => modifier.touched,
    };
  },
};
