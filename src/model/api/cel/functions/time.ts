import { Duration, fail, noSuchOverload, Timestamp, type Value } from '../value.ts';
import type { CelFunction } from './call.ts';
import { floorDivide } from './conversions.ts';

const msPerDay = 86_400_000;

/** Minutes east of UTC of `+02:00` or a name. Zones by name beyond UTC are not known: the engine's database differs between versions. */
function zoneMinutes(zone: string): number {
  if (zone === '' || zone === 'UTC' || zone === 'Z' || zone === 'Etc/UTC' || zone === 'GMT') return 0;
  const match = /^([+-]?)(\d\d):(\d\d)$/.exec(zone);
  if (match === null) return fail(`unknown time zone ${zone}`);
  const [, sign, hours, minutes] = match;
  return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
}

/** A date whose UTC fields are those of the zone. */
function dateIn(at: Timestamp, zone: Value | undefined): Date {
  const ms = Number(floorDivide(at.ns, 1_000_000n));
  return new Date(ms + (typeof zone === 'string' ? zoneMinutes(zone) * 60_000 : 0));
}

function part(read: (date: Date, at: Timestamp) => number, ofDuration?: (ns: bigint) => bigint): CelFunction {
  return ({ arguments: [at, zone] }) => {
    if (at instanceof Timestamp) return BigInt(read(dateIn(at, zone), at));
    return at instanceof Duration && ofDuration !== undefined ? ofDuration(at.ns) : fail(noSuchOverload);
  };
}

export const timeFunctions: Readonly<Record<string, CelFunction>> = {
  getFullYear: part((date) => date.getUTCFullYear()),
  getMonth: part((date) => date.getUTCMonth()),
  getDate: part((date) => date.getUTCDate()),
  getDayOfMonth: part((date) => date.getUTCDate() - 1),
  getDayOfWeek: part((date) => date.getUTCDay()),
  getDayOfYear: part((date) => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / msPerDay)),
  getHours: part(
    (date) => date.getUTCHours(),
    (ns) => ns / 3_600_000_000_000n,
  ),
  getMinutes: part(
    (date) => date.getUTCMinutes(),
    (ns) => ns / 60_000_000_000n,
  ),
  getSeconds: part(
    (date) => date.getUTCSeconds(),
    (ns) => ns / 1_000_000_000n,
  ),
  // Of a duration: what is left over from the seconds.
  getMilliseconds: part(
    (date) => date.getUTCMilliseconds(),
    (ns) => (ns % 1_000_000_000n) / 1_000_000n,
  ),
};
