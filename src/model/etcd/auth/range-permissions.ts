import { compareKeys, FROM_KEY } from '../keys.ts';
import type { AuthState } from './auth-state.ts';

interface Interval {
  readonly begin: string;
  /** undefined: no end. */
  readonly end: string | undefined;
}

/** A user's rights, joined over all roles (auth/range_perm_cache.go). */
export interface UnifiedPermissions {
  readonly read: readonly Interval[];
  readonly write: readonly Interval[];
}

/** Joins the permissions of a user's roles into disjoint intervals. */
export function unifyPermissions(state: AuthState, userName: string): UnifiedPermissions {
  const read: Interval[] = [];
  const write: Interval[] = [];
  for (const roleName of state.users.get(userName)?.roles ?? []) {
    for (const permission of state.roles.get(roleName)?.permissions ?? []) {
      const interval = intervalOf(permission.key, permission.rangeEnd);
      if (permission.permType !== 'WRITE') read.push(interval);
      if (permission.permType !== 'READ') write.push(interval);
    }
  }
  return { read: merge(read), write: merge(write) };
}

/** Whether the intervals cover the whole range that a request names. */
export function covers(intervals: readonly Interval[], key: string, rangeEnd: string): boolean {
  const wanted = intervalOf(key, rangeEnd);
  return intervals.some(
    (interval) =>
      compareKeys(interval.begin, wanted.begin) <= 0 &&
      (interval.end === undefined || (wanted.end !== undefined && compareKeys(wanted.end, interval.end) <= 0)),
  );
}

function intervalOf(key: string, rangeEnd: string): Interval {
  if (rangeEnd === '') return { begin: key, end: `${key}\0` };
  return { begin: key, end: rangeEnd === FROM_KEY ? undefined : rangeEnd };
}

function merge(intervals: Interval[]): readonly Interval[] {
  const sorted = intervals.sort((a, b) => compareKeys(a.begin, b.begin));
  const merged: Interval[] = [];
  for (const interval of sorted) {
    const last = merged[merged.length - 1];
    if (last === undefined || (last.end !== undefined && compareKeys(last.end, interval.begin) < 0)) {
      merged.push(interval);
    } else if (last.end !== undefined && (interval.end === undefined || compareKeys(interval.end, last.end) > 0)) {
      merged[merged.length - 1] = { begin: last.begin, end: interval.end };
    }
  }
  return merged;
}
