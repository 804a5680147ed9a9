import type { Write } from './history.ts';
import type { Naming } from './naming.ts';
import { canonical, show } from './canonical-json.ts';
import { listsKind, recordedKey, strictKinds } from './recorded-objects.ts';
import type { Recording, Story } from './recording.ts';
import { storyField } from './story-fields.ts';

/** Values that held for less may be missing in recordings, because passes disagreed about them. */
const transientSeconds = 0.35;

/** Seconds by which a time may differ, by the loops of unknown phase that the README names. */
export function toleranceOf(recording: Recording): number {
  switch (recording.category) {
    case 'node':
      // The node monitor's 5 s, then the eviction queue's 10 s.
      return 15.5;
    case 'drain':
    case 'cronjob':
      return 10.5;
    case 'podgc':
    case 'alt':
      return 20.5;
    case 'gc':
    case 'namespace':
    case 'hpa':
      return 5.5;
    case 'leader':
      return 5;
    default:
      // Half a second of noise, and a second where a controller works by whole seconds.
      return 1.5;
  }
}

/**
 * Passes that picked different ones of equal pods: the times in the story of one are medians over the lives of several. When things happened is
 * then compared in the log of all of them (compare-facts.ts).
 */
export function mixesPods(recording: Recording, key: string): boolean {
  return (
    /^Pod\/.*-<\d+>$/.test(key) &&
    [...recording.transient, ...recording.unstable].some((text) => text.startsWith('podLog:') && text.includes('numbers are <*>'))
  );
}

/**
 * Passes that took different steps: what their stories have in common is recorded, each value at the median of times that need not belong together
 * (a value comes and goes, and each pass was matched at another of its moments). What is asked for is then the order alone, as the README says:
 * "the recorded subsequence must be contained".
 */
export function mixesPasses(recording: Recording, key: string, field: string): boolean {
  return recording.unstable.some((text) => text.startsWith(`${key} ${field}: passes differ`));
}

function isNear(actual: number, expected: number, tolerance: number): boolean {
  return Math.abs(actual - expected) <= tolerance;
}

/** The distinct values of a field over the life of all objects of a key. */
export function actualStory(
  writes: readonly Write[],
  field: string,
  naming: Naming,
  start: { readonly us: number; readonly wallUs: number },
): [number, unknown][] {
  const story: [number, unknown][] = [];
  let last: string | undefined;
  let uid: string | undefined;
  for (const write of writes) {
    let value: unknown;
    if (field === 'exists') value = write.object !== undefined;
    else if (write.object === undefined) continue;
    else value = storyField(write.object, field, naming, start.wallUs);
    // What a new object of the name does not have yet did not go away.
    if (value === undefined && (last === undefined || uid !== write.object?.metadata.uid)) continue;
    uid = write.object?.metadata.uid;
    const text = canonical(value);
    if (text === last) continue;
    last = text;
    story.push([Math.max(0, (write.atUs - start.us) / 1e6), value ?? null]);
  }
  return story;
}

/** Recordings of a shared cluster leave the scheduler's message out: it counts other scenarios' nodes. */
function asDetailed(expected: Story, actual: readonly (readonly [number, unknown])[]): readonly (readonly [number, unknown])[] {
  const parts = (value: unknown): number => String(value).split(' | ').length;
  if (expected.some(([, value]) => parts(value) > 2)) return actual;
  const out: (readonly [number, unknown])[] = [];
  for (const [at, value] of actual) {
    const short = typeof value === 'string' ? value.split(' | ').slice(0, 2).join(' | ') : value;
    if (out.length === 0 || out[out.length - 1]?.[1] !== short) out.push([at, short]);
  }
  return out;
}

function matchesValue(expected: unknown, actual: unknown): boolean {
  return canonical(expected) === canonical(actual);
}

/** A story without the values that held too short to be looked for. */
function settled(story: readonly (readonly [number, unknown])[]): (readonly [number, unknown])[] {
  const out: (readonly [number, unknown])[] = [];
  for (const [i, entry] of story.entries()) {
    const until = story[i + 1]?.[0] ?? Number.POSITIVE_INFINITY;
    if (until - entry[0] < transientSeconds) continue;
    if (out.length > 0 && matchesValue((out[out.length - 1] as readonly [number, unknown])[1], entry[1])) continue;
    out.push(entry);
  }
  return out;
}

/** Values shorter than 0.35 s are "differences without meaning" (README): stories agree as written, or in what held for longer. */
export function compareStory(
  expected: Story,
  actual: readonly (readonly [number, unknown])[],
  loose: boolean,
  tolerance: number,
): string | undefined {
  const why = compareInOrder(expected, actual, loose, tolerance);
  if (why === undefined) return undefined;
  if (loose) return compareInOrder(settled(expected), actual, true, tolerance) === undefined ? undefined : why;
  return compareInOrder(settled(expected), settled(actual), loose, tolerance) === undefined ? undefined : why;
}

/** Compares in order; recorded values must all come, others may only be short. `loose`: they may be anything. */
function compareInOrder(
  expected: Story,
  actual: readonly (readonly [number, unknown])[],
  loose: boolean,
  tolerance: number,
): string | undefined {
  let at = 0;
  for (const [time, value] of expected) {
    let found = -1;
    for (let i = at; i < actual.length; i++) {
      const [actualTime, actualValue] = actual[i] as readonly [number, unknown];
      if (matchesValue(value, actualValue)) {
        found = i;
        if (isNear(actualTime, time, tolerance)) break;
        if (!loose) break;
      }
      const until = actual[i + 1]?.[0] ?? Number.POSITIVE_INFINITY;
      if (!loose && found < 0 && until - actualTime >= transientSeconds) break;
    }
    if (found < 0) return `expected ${show(expected)}, actual ${show(actual.map(([t, v]) => [Math.round(t * 10) / 10, v]))}`;
    const actualTime = (actual[found] as readonly [number, unknown])[0];
    if (!isNear(actualTime, time, tolerance)) return `time of ${show(value)}: expected ${time}, actual ${Math.round(actualTime * 10) / 10}`;
    at = found + 1;
  }
  if (loose) return undefined;
  for (let i = at; i < actual.length; i++) {
    const until = actual[i + 1]?.[0] ?? Number.POSITIVE_INFINITY;
    if (until - (actual[i] as readonly [number, unknown])[0] >= transientSeconds)
      return `expected ${show(expected)}, actual ${show(actual.map(([t, v]) => [Math.round(t * 10) / 10, v]))}`;
  }
  return undefined;
}

export function compareStories(
  recording: Recording,
  writes: readonly Write[],
  naming: Naming,
  start: { readonly us: number; readonly wallUs: number },
): readonly string[] {
  const differences: string[] = [];
  const byObject = new Map<string, Write[]>();
  for (const write of writes) {
    const object = write.object ?? write.last;
    if (object === undefined || object.kind === 'Event') continue;
    if (object.metadata.namespace !== undefined && !object.metadata.namespace.startsWith(recording.namespace) && object.kind !== 'Lease')
      continue;
    const key = recordedKey(object, recording, naming);
    const list = byObject.get(key);
    if (list === undefined) byObject.set(key, [write]);
    else list.push(write);
  }
  for (const [key, fields] of Object.entries(recording.stories)) {
    const own = byObject.get(key);
    if (own === undefined) {
      differences.push(`${key}: never existed`);
      continue;
    }
    for (const [name, expected] of Object.entries(fields)) {
      const loose = name.startsWith('~');
      const field = loose ? name.slice(1) : name;
      // The cluster stood before the recordings began: what a node did at its start is not comparable in time.
      const actual = actualStory(own, field, naming, start);
      const why = compareStory(
        expected,
        field === 'condition PodScheduled' ? asDetailed(expected, actual) : actual,
        loose,
        mixesPods(recording, key) || mixesPasses(recording, key, field) ? Number.POSITIVE_INFINITY : toleranceOf(recording),
      );
      if (why !== undefined) differences.push(`${key} ${field}: ${why}`);
    }
  }
  const count = (kind: string): number => [...byObject.keys()].filter((key) => key.startsWith(`${kind}/`)).length;
  for (const key of byObject.keys()) {
    const kind = key.split('/')[0] as string;
    if (strictKinds.has(kind) && recording.stories[key] === undefined && listsKind(recording, kind, count(kind)))
      differences.push(`${key}: exists, but not in the recording`);
  }
  return differences;
}
