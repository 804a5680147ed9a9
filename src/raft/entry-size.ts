import { noEntries } from './message.ts';
import { type ConfChange, type Entry, EntryNormal, leaveJointChange } from './types.ts';

/** No limit on bytes. */
export const noLimit = Number.POSITIVE_INFINITY;

/** Bytes of a protobuf varint. */
function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest /= 128) bytes++;
  return bytes;
}

/** Bytes that the entry takes on the wire and in the log (raftpb.Entry: type, term, index, data). */
export function encodedBytes(entry: Entry): number {
  let bytes = 2 + varintBytes(entry.term) + varintBytes(entry.index);
  if (entry.type !== EntryNormal) bytes += 2;
  if (entry.data !== undefined) bytes += 1 + varintBytes(entry.sizeBytes) + entry.sizeBytes;
  return bytes;
}

/** Bytes of all entries on the wire. */
export function encodedBytesOf(entries: readonly Entry[]): number {
  let bytes = 0;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    if (entry !== undefined) bytes += encodedBytes(entry);
  }
  return bytes;
}

/** Bytes of all payloads. */
export function payloadBytesOf(entries: readonly Entry[]): number {
  let bytes = 0;
  for (let i = 0; i < entries.length; i++) bytes += entries[i]?.sizeBytes ?? 0;
  return bytes;
}

/** The longest prefix within `bytesMax` encoded bytes, but always at least one entry if there is one. */
export function limitBytes(entries: readonly Entry[], bytesMax: number): readonly Entry[] {
  if (entries.length <= 1 || bytesMax === noLimit) return entries;
  const first = entries[0];
  if (first === undefined) return noEntries;
  let bytes = encodedBytes(first);
  for (let i = 1; i < entries.length; i++) {
    const entry = entries[i];
    if (entry === undefined) break;
    bytes += encodedBytes(entry);
    if (bytes > bytesMax) return entries.slice(0, i);
  }
  return entries;
}

/** Payload bytes of a configuration entry, without the host's context, in the form the entry type implies (see FORMAT of raftpb). */
export function confChangeBytes(change: ConfChange, oldStyle: boolean): number {
  if (oldStyle) {
    const single = change.changes[0];
    return single === undefined ? 0 : 3 + varintBytes(single.nodeId);
  }
  if (change === leaveJointChange) return 0;
  let bytes = 2;
  for (const single of change.changes) bytes += 2 + 3 + varintBytes(single.nodeId);
  return bytes;
}
