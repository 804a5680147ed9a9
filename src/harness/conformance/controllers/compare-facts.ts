import type { Pod, ReplicaSet } from '../../../model/api/types.ts';
import { toleranceOf } from './compare-stories.ts';
import type { Write } from './history.ts';
import type { Naming } from './naming.ts';
import type { Recording } from './recording.ts';

type Log = { readonly at: number; readonly what: string; readonly pod: string }[];

function isReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;
}

/** The life of every pod in the words of the recordings. */
function podLog(recording: Recording, writes: readonly Write[], naming: Naming, startUs: number): Log {
  const log: Log = [];
  for (const write of writes) {
    const object = write.object ?? write.last;
    if (object?.kind !== 'Pod' || object.metadata.namespace !== recording.namespace) continue;
    const before = write.last as Pod | undefined;
    const after = write.object as Pod | undefined;
    const at = (write.atUs - startUs) / 1e6;
    const pod = naming.keyOf(object).slice('Pod/'.length);
    const say = (what: string): void => {
      log.push({ at, what, pod });
    };
    if (after === undefined) {
      say('removed');
      continue;
    }
    if (before === undefined) say('created');
    const phase = after.status?.phase;
    if (phase !== before?.status?.phase && phase !== undefined && phase !== 'Pending') say(phase);
    if (isReady(after) && !isReady(before)) say('ready');
    // The end of a pod takes its readiness with it; that is no event of its own.
    if (!isReady(after) && isReady(before) && phase === 'Running') say('unready');
    if (after.metadata.deletionTimestamp !== undefined && before?.metadata.deletionTimestamp === undefined) say('deleting');
  }
  return log;
}

function starred(text: string): string {
  return text.replaceAll(/<\d+>/g, '<*>');
}

function lives(entries: readonly { readonly what: string; readonly pod: string }[]): Map<string, string[]> {
  const byPod = new Map<string, string[]>();
  for (const { what, pod } of entries) {
    const life = byPod.get(pod);
    if (life === undefined) byPod.set(pod, [what]);
    else life.push(what);
  }
  return byPod;
}

interface Item {
  readonly what: string;
  readonly pod: string;
  /** The first thing of its group, and the latest that one of it can have been: what is less than this after another is in one group with it. */
  readonly from: number;
  readonly until: number;
}

const groupSeconds = 0.4;

function parse(items: readonly (readonly [number, ...string[]])[]): readonly Item[] {
  return items.flatMap(([from, ...texts], i) => {
    const until = Math.max(from, (items[i + 1]?.[0] ?? Number.POSITIVE_INFINITY) - groupSeconds);
    return texts.flatMap((text) => {
      const match = /^(\S+) (\S+)(?: x(\d+))?$/.exec(text);
      if (match === null) return [];
      return Array.from({ length: Number(match[3] ?? 1) }, () => ({ what: match[1] as string, pod: match[2] as string, from, until }));
    });
  });
}

/** When things happened, whichever of equal pods they happened to: the nth of the recording and the nth of the run. */
function compareTimes(items: readonly Item[], log: Log, tolerance: number): readonly string[] {
  const differences: string[] = [];
  for (const what of new Set(items.map((item) => `${item.what} ${starred(item.pod)}`))) {
    const same = (entry: { readonly what: string; readonly pod: string }) => `${entry.what} ${starred(entry.pod)}` === what;
    const recorded = items.filter(same);
    const actual = log.filter(same).map((entry) => entry.at);
    actual.sort((a, b) => a - b);
    for (const [i, { from, until }] of recorded.entries()) {
      const at = actual[i];
      if (at !== undefined && (at < from - tolerance || at > until + tolerance))
        differences.push(`podLog: time of ${what} number ${i + 1}: expected ${from}, actual ${Math.round(at * 10) / 10}`);
    }
  }
  return differences;
}

/** Within one group the order is free. */
function sortedLife(life: readonly string[]): string {
  return [...life].sort().join(' ');
}

function comparePodLog(recording: Recording, log: Log): readonly string[] {
  const recorded = recording.facts.podLog;
  if (recorded === undefined) return [];
  const actual = lives(log);
  const differences: string[] = [];
  if (!Array.isArray(recorded)) {
    const perPod = recorded as { readonly [key: string]: readonly (readonly [number, ...string[]])[] };
    for (const [pod, items] of Object.entries(perPod)) {
      if (pod === 'order') {
        const counts = new Map<string, number>();
        for (const entry of log)
          counts.set(`${entry.what} ${starred(entry.pod)}`, (counts.get(`${entry.what} ${starred(entry.pod)}`) ?? 0) + 1);
        const wanted = new Map<string, number>();
        for (const entry of parse(items))
          wanted.set(`${entry.what} ${starred(entry.pod)}`, (wanted.get(`${entry.what} ${starred(entry.pod)}`) ?? 0) + 1);
        for (const [what, count] of wanted)
          if ((counts.get(what) ?? 0) < count)
            differences.push(`podLog: ${what}: expected ${count} at least, actual ${counts.get(what) ?? 0}`);
        continue;
      }
      const life = items.flatMap(([, ...texts]) => texts);
      const own = actual.get(pod) ?? [];
      if (sortedLife(life) !== sortedLife(own)) differences.push(`podLog of ${pod}: expected ${life.join(' ')}, actual ${own.join(' ')}`);
    }
    return differences;
  }
  const items = parse(recorded as readonly (readonly [number, ...string[]])[]);
  const star = items.some((item) => item.pod.includes('<*>'));
  const expected = lives(items);
  differences.push(...compareTimes(items, log, toleranceOf(recording)));
  if (star) {
    const count = (list: readonly { readonly what: string; readonly pod: string }[]): string =>
      list
        .map((item) => `${item.what} ${starred(item.pod)}`)
        .sort()
        .join(',');
    if (count(items) !== count(log)) differences.push(`podLog: expected ${count(items)}, actual ${count(log)}`);
    return differences;
  }
  for (const [pod, life] of expected) {
    const own = actual.get(pod) ?? [];
    if (sortedLife(life) !== sortedLife(own)) differences.push(`podLog of ${pod}: expected ${life.join(' ')}, actual ${own.join(' ')}`);
  }
  for (const [pod, life] of actual) if (!expected.has(pod)) differences.push(`podLog of ${pod}: not recorded, actual ${life.join(' ')}`);
  return differences;
}

/** The vectors of spec.replicas of a deployment's sets, in order. */
function compareReplicaSets(recording: Recording, writes: readonly Write[], naming: Naming, startUs: number): readonly string[] {
  const differences: string[] = [];
  for (const [name, story] of Object.entries(recording.facts.replicaSets ?? {})) {
    const loose = name.startsWith('~');
    const deployment = loose ? name.slice(1) : name;
    const current: { [set: string]: number } = {};
    const vectors: { at: number; text: string }[] = [];
    for (const write of writes) {
      const object = (write.object ?? write.last) as ReplicaSet | undefined;
      if (object?.kind !== 'ReplicaSet' || object.metadata.namespace !== recording.namespace) continue;
      const key = naming.keyOf(object).slice('ReplicaSet/'.length);
      if (!key.startsWith(`${deployment}-`)) continue;
      if (write.object === undefined) delete current[key];
      else current[key] = object.spec.replicas ?? 0;
      const text = JSON.stringify(
        Object.keys(current)
          .sort()
          .map((set) => [set, current[set]]),
      );
      if (vectors.at(-1)?.text !== text) vectors.push({ at: (write.atUs - startUs) / 1e6, text });
    }
    let at = 0;
    for (const [, vector] of story) {
      const object = vector as { readonly [set: string]: number };
      const text = JSON.stringify(
        Object.keys(object)
          .sort()
          .map((set) => [set, object[set]]),
      );
      const found = vectors.findIndex((entry, i) => i >= at && entry.text === text);
      if (found < 0) {
        differences.push(
          `replicaSets of ${deployment}: expected ${JSON.stringify(story)}, actual ${vectors.map((entry) => `${Math.round(entry.at * 10) / 10} ${entry.text}`).join(' ')}`,
        );
        break;
      }
      at = found + 1;
    }
  }
  return differences;
}

/** Compares what the recordings derive from the lives of pods and sets. */
export function comparePodFacts(
  recording: Recording,
  writes: readonly Write[],
  naming: Naming,
  start: { readonly us: number },
): readonly string[] {
  return [
    ...comparePodLog(recording, podLog(recording, writes, naming, start.us)),
    ...compareReplicaSets(recording, writes, naming, start.us),
  ];
}
