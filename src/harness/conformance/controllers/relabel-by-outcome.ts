import type { UntypedObject } from '../../../model/api/object.ts';
import { differ } from './compare-outcome.ts';
import type { Naming } from './naming.ts';
import type { Recording } from './recording.ts';

/**
 * Deals the recording's numbers (`web-abc-<2>`) to the objects that are there at the end, as their contents fit: how many of a name came and
 * went before means nothing.
 */
export function relabelByOutcome(recording: Recording, objects: readonly UntypedObject[], naming: Naming): void {
  const groups = new Map<string, UntypedObject[]>();
  for (const object of objects) {
    if (object.metadata.namespace !== recording.namespace) continue;
    const prefix = /^(.*-)<\d+>$/.exec(naming.keyOf(object))?.[1];
    if (prefix !== undefined) groups.set(prefix, [...(groups.get(prefix) ?? []), object]);
  }
  for (const [prefix, own] of groups) {
    const recorded = Object.keys(recording.outcome).filter((key) => key.startsWith(prefix) && /^<\d+>$/.test(key.slice(prefix.length)));
    const partner = new Map<UntypedObject, string>();
    const offer = (name: string, tried: Set<UntypedObject>): boolean => {
      for (const object of own) {
        if (tried.has(object) || differ(contents(recording.outcome[name]), object, '', naming) !== undefined) continue;
        tried.add(object);
        const taken = partner.get(object);
        if (taken === undefined || offer(taken, tried)) {
          partner.set(object, name);
          return true;
        }
      }
      return false;
    };
    for (const name of recorded) offer(name, new Set());
    // What fits nothing gets what is left, so that the difference is told of that.
    const left = recorded.filter((name) => ![...partner.values()].includes(name));
    for (const object of own) if (!partner.has(object)) partner.set(object, left.shift() ?? `${prefix}<${own.length + 1}>`);
    for (const [object, key] of partner) naming.assign(object, unhashed(key.slice(key.indexOf('/') + 1), object));
  }
}

/** The parts of an outcome that do not name other objects. */
function contents(outcome: { readonly [field: string]: unknown } | undefined): unknown {
  const { labels = {}, annotations = {} } = (outcome?.['metadata'] ?? {}) as { readonly labels?: unknown; readonly annotations?: unknown };
  return { metadata: { labels, annotations }, spec: outcome?.['spec'], status: outcome?.['status'] };
}

/** Names are kept with the hashes of the run, and shown with the recording's. */
function unhashed(name: string, object: UntypedObject): string {
  const generate = object.metadata.generateName;
  return generate === undefined ? name : `${generate}${/<\d+>$/.exec(name)?.[0] ?? ''}`;
}
