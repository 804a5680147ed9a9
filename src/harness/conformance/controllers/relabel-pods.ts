import type { UntypedObject } from '../../../model/api/object.ts';
import { differ } from './compare-outcome.ts';
import { actualStory, compareStory, mixesPods, toleranceOf } from './compare-stories.ts';
import type { Write } from './history.ts';
import type { Naming } from './naming.ts';
import type { Recording } from './recording.ts';

/**
 * Equal pods are made in no order that means anything, so the numbers of the recording are dealt to the run's pods as their lives fit:
 * a matching of recorded and actual pods of one generateName.
 */
export function relabelPods(
  recording: Recording,
  writes: readonly Write[],
  naming: Naming,
  start: { readonly us: number; readonly wallUs: number },
): void {
  const actual = new Map<string, Write[]>();
  for (const write of writes) {
    const object = write.object ?? write.last;
    if (object?.kind !== 'Pod' || object.metadata.namespace !== recording.namespace) continue;
    const key = naming.keyOf(object);
    const list = actual.get(key);
    if (list === undefined) actual.set(key, [write]);
    else list.push(write);
  }
  const groups = new Map<string, string[]>();
  for (const key of actual.keys()) {
    const match = /^(.*-)<\d+>$/.exec(key);
    if (match === null) continue;
    const prefix = match[1] as string;
    groups.set(prefix, [...(groups.get(prefix) ?? []), key]);
  }
  for (const [prefix, keys] of groups) {
    // First those whose times fit too.
    const tolerances = [toleranceOf(recording), ...(mixesPods(recording, `${prefix}<1>`) ? [Number.POSITIVE_INFINITY] : [])];
    const recorded = [...new Set([...Object.keys(recording.stories), ...Object.keys(recording.outcome)])].filter(
      (key) => key.startsWith(prefix) && /^<\d+>$/.test(key.slice(prefix.length)),
    );
    if (recorded.length === 0 || keys.length < 2) continue;
    const fits = (name: string, own: string, tolerance: number): boolean => {
      const list = actual.get(own) as Write[];
      const alive = list[list.length - 1]?.object !== undefined;
      // Where passes disagreed about which of equal pods goes, the recording does not say whether this one is there at the end.
      const story = recording.stories[name];
      if (story !== undefined && story['~exists'] === undefined && alive !== (recording.outcome[name] !== undefined)) return false;
      if (alive && recording.outcome[name] !== undefined) {
        const object = list[list.length - 1]?.object as UntypedObject;
        if (differ(withoutNames(recording.outcome[name]), object, '', naming) !== undefined) return false;
      }
      return Object.entries(recording.stories[name] ?? {}).every(([field, story]) => {
        const loose = field.startsWith('~');
        return compareStory(story, actualStory(list, loose ? field.slice(1) : field, naming, start), loose, tolerance) === undefined;
      });
    };
    const partner = new Map<string, string>();
    const offer = (name: string, tried: Set<string>, tolerance: number): boolean => {
      for (const own of [name, ...keys]) {
        if (!actual.has(own) || tried.has(own) || !fits(name, own, tolerance)) continue;
        tried.add(own);
        const taken = partner.get(own);
        if (taken === undefined || offer(taken, tried, tolerance)) {
          partner.set(own, name);
          return true;
        }
      }
      return false;
    };
    for (const tolerance of tolerances) {
      const dealt = new Set(partner.values());
      for (const name of recorded) if (!dealt.has(name)) offer(name, new Set(), tolerance);
    }
    const free = keys.filter((key) => ![...partner.values()].includes(key));
    const renames = new Map<string, string>();
    for (const own of keys) {
      const name = partner.get(own);
      if (name !== undefined) renames.set(own, name);
    }
    for (const own of keys)
      if (!renames.has(own))
        renames.set(own, free.includes(own) ? (free.splice(free.indexOf(own), 1)[0] as string) : (free.shift() ?? own));
    // A recorded number that no pod of the run bears cannot be dealt.
    if ([...renames.values()].every((name) => keys.includes(name)) && new Set(renames.values()).size === keys.length)
      naming.relabel('Pod', recording.namespace, renames);
  }
}

/** The parts of an outcome that do not name other objects. */
function withoutNames(outcome: { readonly [field: string]: unknown } | undefined): unknown {
  return { spec: outcome?.spec, status: outcome?.status };
}
