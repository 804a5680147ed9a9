import type { LinkModifier } from '../sim/link.ts';
import type { World } from '../sim/world.ts';
import type { ActiveFault } from './fault.ts';

/** Puts a modifier on every direction between the named hosts and all others. */
export function modifyLinks(world: World, hosts: readonly string[], modifier: Omit<LinkModifier, 'touched'>): ActiveFault {
  const active: LinkModifier = { ...modifier, touched: 0 };
  const links = world.hosts().flatMap((a) =>
    world
      .hosts()
      .filter((b) => a !== b && (hosts.includes(a.name) || hosts.includes(b.name)))
      .map((b) => world.network.link(a, b)),
  );
  for (const link of links) link?.addModifier(active);
  return {
    heal: () => {
      for (const link of links) link?.removeModifier(active);
    },
    touched: () => active.touched,
  };
}
