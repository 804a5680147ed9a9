import type { UntypedObject } from '../../../model/api/object.ts';
import type { Naming } from './naming.ts';
import type { RecordedEvent, Recording } from './recording.ts';

function starred(text: string): string {
  return text.replaceAll(/<\d+>/g, '<*>');
}

function countFits(expected: number | string, actual: number): boolean {
  if (typeof expected === 'number') return expected === actual;
  const [low, high] = expected.split('..').map(Number);
  return actual >= (low ?? 0) && actual <= (high ?? 0);
}

export function compareEvents(recording: Recording, events: readonly UntypedObject[], naming: Naming): readonly string[] {
  const withScheduling = recording.category === 'scheduler';
  const actual: { key: string; count: number; used: number }[] = [];
  const keyOf = (object: string, type: string, reason: string, message: string): string => `${object} ${type} ${reason} ${message}`;
  for (const event of events) {
    const e = event as UntypedObject & {
      readonly involvedObject: { readonly kind: string; readonly name: string };
      readonly type: string;
      readonly reason: string;
      readonly message: string;
      readonly count?: number;
    };
    if (e.reason === 'FailedScheduling' && !withScheduling) continue;
    // Events of nodes are kept in namespace default, for all scenarios side by side: only those that the recording names are its own.
    const isNode =
      e.involvedObject.kind === 'Node' &&
      recording.events.some((r) => r.object === `Node/${e.involvedObject.name}` && r.reason === e.reason);
    if (e.metadata.namespace?.startsWith(recording.namespace) !== true && !isNode) continue;
    const key = keyOf(`${e.involvedObject.kind}/${naming.text(e.involvedObject.name)}`, e.type, e.reason, naming.text(e.message));
    const known = actual.find((entry) => entry.key === key);
    if (known === undefined) actual.push({ key, count: e.count ?? 1, used: 0 });
    else known.count += e.count ?? 1;
  }
  const differences: string[] = [];
  const partial = recording.unstable.some((text) => text.startsWith('events:'));
  for (const event of recording.events as readonly RecordedEvent[]) {
    const key = keyOf(event.object, event.type, event.reason, event.message);
    const star = key.includes('<*>');
    const matching = actual.filter((entry) => entry.used < entry.count && (star ? starred(entry.key) === starred(key) : entry.key === key));
    const total = matching.reduce((sum, entry) => sum + entry.count - entry.used, 0);
    if (star) {
      let wanted = typeof event.count === 'number' ? event.count : Number(event.count.split('..')[1]);
      for (const entry of matching) {
        const take = Math.min(wanted, entry.count - entry.used);
        entry.used += take;
        wanted -= take;
      }
      if (wanted > 0 && typeof event.count === 'number')
        differences.push(`event ${key}: expected ${event.count}, actual ${event.count - wanted}`);
      continue;
    }
    for (const entry of matching) entry.used = entry.count;
    // The scheduler's events are series, of which only some steps are written.
    if (
      withScheduling &&
      event.reason === 'FailedScheduling' &&
      typeof event.count === 'number' &&
      event.count >= 3 &&
      total >= event.count
    )
      continue;
    if (!countFits(event.count, total)) differences.push(`event ${key}: expected ${event.count}, actual ${total}`);
  }
  if (!partial)
    for (const entry of actual)
      if (entry.used < entry.count) differences.push(`event ${entry.key}: ${entry.count - entry.used} not in the recording`);
  return differences;
}
