import { sameJson } from './pod-changes.ts';
import type { RecordedEvent, RecordedPod, Recording, Time, Update } from './recording.ts';
import type { SeenEvent, SeenUpdate } from './observer.ts';
import type { Replay } from './replay.ts';

/** Noise of the recordings and a second of PLEG: README, "Times". */
const SLACK_SECONDS = 1.5;

/** What differs between a recording and a replay, in words; empty: nothing that the README does not allow. */
export function compare(recording: Recording, replay: Replay): readonly string[] {
  const problems: string[] = [...replay.refused.map((text) => `refused: ${text}`)];
  for (const [name, recorded] of Object.entries(recording.pods ?? {}))
    problems.push(...comparePod(name, recorded, replay.pods[name] ?? []));
  for (const name of Object.keys(replay.pods)) if (recording.pods?.[name] === undefined) problems.push(`pod ${name}: not in the recording`);
  problems.push(...compareEvents(recording.events ?? [], replay.events));
  problems.push(...comparePrograms(recording, replay));
  if (Array.isArray(recording.node)) problems.push('node: a recording of the node alone, with its lease: not compared');
  else if (recording.node !== undefined) {
    const { problem } = compareUpdates(recording.node.updates.map(withoutNodeInfo), replay.node);
    if (problem !== undefined) problems.push(`node: ${problem}`);
  }
  return problems;
}

/** The recordings' node says again what machine it is whenever the runtime comes back. */
function withoutNodeInfo({ t, set: { nodeInfo: _machine, ...set } }: Update): Update {
  return { t, set };
}

function comparePod(name: string, recorded: RecordedPod, seen: readonly SeenUpdate[]): readonly string[] {
  const variants = recorded.variants?.map((variant) => variant.updates) ?? [recorded.updates ?? []];
  let best: string | undefined;
  let bestAt = -1;
  for (const updates of variants) {
    const { problem, at } = compareUpdates(updates, seen);
    if (problem === undefined) return [];
    if (at > bestAt) {
      bestAt = at;
      best = problem;
    }
  }
  return [`pod ${name}: ${best ?? ''}`];
}

function compareUpdates(
  updates: readonly Update[],
  seen: readonly SeenUpdate[],
): { readonly problem: string | undefined; readonly at: number } {
  let allowance = 0;
  for (let i = 0; i < updates.length; i++) {
    const want = updates[i] as Update;
    const got = seen[i];
    if (got === undefined) return { problem: `update ${i} missing: ${text(want.t)} ${JSON.stringify(want.set)}`, at: i };
    const differ = differing(want.set, got.set);
    if (differ !== undefined) return { problem: `update ${i} at ${text(want.t)} (seen at ${got.t}): ${differ}`, at: i };
    const previous = updates[i - 1];
    if (previous !== undefined) allowance += slackOfGap(first(want.t) - last(previous.t));
    const late = got.t - last(want.t);
    const early = first(want.t) - got.t;
    if (late > SLACK_SECONDS + allowance || early > SLACK_SECONDS + allowance) {
      return { problem: `update ${i} at ${text(want.t)}: seen at ${got.t}: ${JSON.stringify(want.set).slice(0, 200)}`, at: i };
    }
  }
  const extra = seen[updates.length];
  if (extra !== undefined)
    return { problem: `update ${updates.length} too many at ${extra.t}: ${JSON.stringify(extra.set).slice(0, 400)}`, at: updates.length };
  return { problem: undefined, at: updates.length };
}

/** A wait for the next sync has up to 50 % of jitter on top, in the recording and in the replay. */
function slackOfGap(gap: number): number {
  return gap >= 8 ? gap * 0.5 : 0;
}

function differing(want: Readonly<Record<string, unknown>>, got: Readonly<Record<string, unknown>>): string | undefined {
  for (const key of Object.keys(want)) {
    if (!sameValue(want[key], got[key]))
      return `${key} is ${JSON.stringify(got[key])?.slice(0, 300)}, recorded ${JSON.stringify(want[key])?.slice(0, 300)}`;
  }
  for (const key of Object.keys(got))
    if (!(key in want)) return `${key} is ${JSON.stringify(got[key])?.slice(0, 300)}, recorded: no change`;
  return undefined;
}

function sameValue(want: unknown, got: unknown): boolean {
  if (typeof want === 'string' && typeof got === 'string') return sameText(want, got);
  if (typeof want === 'object' && want !== null && typeof got === 'object' && got !== null && !Array.isArray(want)) {
    const left = want as Record<string, unknown>;
    const right = got as Record<string, unknown>;
    const keys = Object.keys(left);
    return keys.length === Object.keys(right).length && keys.every((key) => sameValue(left[key], right[key]));
  }
  return sameJson(want, got);
}

const PLACEHOLDERS: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>'],
  [/\b[0-9a-f]{32}\b/g, '<uid>'],
  [/10\.244\.\d+\.\d+/g, '<podIP>'],
  [/192\.168\.0\.10/g, '<hostIP>'],
  [/registry\.test:5000/g, '<registry>'],
  [/closed\.test:5001/g, '<closed>'],
  [/\/run\/containerd\/containerd\.sock/g, '<tmp>/containerd.sock'],
];

function sameText(want: string, got: string): boolean {
  if (want === got) return true;
  // The uid of a static pod stands in the recordings as it was.
  const wanted = want.replace(/\b[0-9a-f]{32}\b/g, '<uid>').replace(/<podIP \d+>/g, '<podIP>');
  let plain = got;
  for (const [pattern, name] of PLACEHOLDERS) plain = plain.replace(pattern, name);
  if (plain === wanted) return true;
  if (!/<(n|dur|id|uid|digest|port|hex|id \d+|tmp)>/.test(wanted)) return false;
  const pattern = wanted
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/<port>/g, '\\d+')
    // A number, or a quantity of bytes.
    .replace(/<n>/g, '\\d+(?:[KMGT]i)?')
    .replace(/<dur>/g, '[0-9.hmsµ]+')
    .replace(/<(id|uid|digest|hex)>/g, '[^ ",]+');
  return new RegExp(`^${pattern}$`, 's').test(plain);
}

function compareEvents(recorded: readonly RecordedEvent[], seen: readonly SeenEvent[]): readonly string[] {
  const problems: string[] = [];
  const left = [...seen];
  for (const want of recorded) {
    const at = left.findIndex((got) => matches(want, got));
    if (at < 0) {
      if (want.seenIn === undefined)
        problems.push(`event missing: ${text(want.t)} ${want.object} ${want.reason}: ${want.message.slice(0, 300)}`);
      continue;
    }
    const [got] = left.splice(at, 1);
    const [least, most] = typeof want.count === 'number' ? [want.count, want.count] : want.count;
    // One more or less where a probe's tick or a sync falls on the other side of a change.
    const slack = most > 2 ? Math.max(1, Math.ceil(most * 0.25)) : want.reason === 'Unhealthy' || want.reason === 'BackOff' ? 1 : 0;
    if (got !== undefined && (got.count < least - slack || got.count > most + slack))
      problems.push(
        `event ${want.object} ${want.reason} "${want.message.slice(0, 120)}": ${got.count} times, recorded ${text(want.count)}`,
      );
  }
  for (const got of left) {
    // A probe may fall into the moment in which a container starts or stops.
    const rare = got.reason === 'Unhealthy' && got.count <= 2 && /refused|EOF|deadline|statuscode/.test(got.message);
    if (!rare)
      problems.push(`event not in the recording: ${got.t} ${got.object} ${got.reason}: ${got.message.slice(0, 300)} (${got.count})`);
  }
  return problems;
}

function matches(want: RecordedEvent, got: SeenEvent): boolean {
  return (
    want.object === got.object &&
    want.type === got.type &&
    want.reason === got.reason &&
    (want.field ?? '') === got.field &&
    sameText(want.message, got.message)
  );
}

function comparePrograms(recording: Recording, replay: Replay): readonly string[] {
  const problems: string[] = [];
  for (const [pod, containers] of Object.entries(recording.program ?? {})) {
    for (const [name, lines] of Object.entries(containers)) {
      const container = name.replace(/^~/, '');
      const got = (replay.program[pod]?.[container] ?? []).map(([, line]) => line);
      const want = lines.map(([, line]) => line);
      // Which probe calls fall into the moments around a start or a stop differs from pass to pass; starts, signals and exits do not.
      const important = (line: string) => !/^#\d+ (http|tcp|exec|grpc) /.test(`${line} `) && !line.startsWith('died');
      const a = want.filter(important);
      const b = got.filter(important);
      const same = name.startsWith('~') ? isSubsequence(a, b) : a.length === b.length && a.every((line, i) => sameText(line, b[i] ?? ''));
      if (!same) problems.push(`program ${pod}/${name}: ${JSON.stringify(b).slice(0, 400)}, recorded ${JSON.stringify(a).slice(0, 400)}`);
    }
  }
  return problems;
}

function isSubsequence(part: readonly string[], whole: readonly string[]): boolean {
  let at = 0;
  for (const line of whole) if (at < part.length && sameText(part[at] ?? '', line)) at++;
  return at === part.length;
}

function first(time: Time): number {
  return typeof time === 'number' ? time : time[0];
}

function last(time: Time): number {
  return typeof time === 'number' ? time : time[1];
}

function text(value: unknown): string {
  return JSON.stringify(value);
}
