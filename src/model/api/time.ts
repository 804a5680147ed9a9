/**
 * metav1.Time and MicroTime from microseconds since the Unix epoch and back, without the engine's Date:
 * the civil calendar by days (Howard Hinnant, "chrono-compatible low-level date algorithms").
 */
const usPerSecond = 1_000_000;
const usPerDay = 86_400 * usPerSecond;

function two(n: number): string {
  return n < 10 ? `0${n}` : String(n);
}

/** Year, month and day of a count of days since 1970-01-01. */
export function civilFromDays(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthShifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthShifted < 10 ? monthShifted + 3 : monthShifted - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * monthShifted + 2) / 5) + 1 };
}

/** Days since 1970-01-01 of a civil date. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

let lastDay = Number.NaN;
let lastDayText = '';
let lastSecond = Number.NaN;
let lastSecondText = '';

function secondText(us: number): string {
  const second = Math.floor(us / usPerSecond);
  if (second === lastSecond) return lastSecondText;
  const day = Math.floor(us / usPerDay);
  if (day !== lastDay) {
    const civil = civilFromDays(day);
    lastDay = day;
    lastDayText = `${String(civil.year).padStart(4, '0')}-${two(civil.month)}-${two(civil.day)}T`;
  }
  const inDay = second - day * 86_400;
  lastSecond = second;
  lastSecondText = `${lastDayText}${two(Math.floor(inDay / 3600))}:${two(Math.floor(inDay / 60) % 60)}:${two(inDay % 60)}`;
  return lastSecondText;
}

/** metav1.Time: whole seconds, truncated. */
export function formatTime(us: number): string {
  return `${secondText(us)}Z`;
}

/** metav1.MicroTime: always six digits. */
export function formatMicroTime(us: number): string {
  const micros = us - Math.floor(us / usPerSecond) * usPerSecond;
  return `${secondText(us)}.${String(micros).padStart(6, '0')}Z`;
}

const shape = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(Z|([+-])(\d\d):(\d\d))$/;

/** Microseconds since the epoch of an RFC 3339 text, or undefined where it is none. */
export function parseTime(text: string): number | undefined {
  // A time that was never set is null in an object, whatever its type says.
  if (typeof text !== 'string') return undefined;
  if (isPlainlyCanonical(text, 0)) return plainMicros(text);
  if (isPlainlyCanonical(text, 6)) return plainMicros(text) + digits(text, 20, 6);
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined;
  const days = daysFromCivil(year, month, day);
  const back = civilFromDays(days);
  if (back.month !== month || back.day !== day) return undefined;
  const offset = match[9] === undefined ? 0 : (match[9] === '-' ? -1 : 1) * (Number(match[10]) * 3600 + Number(match[11]) * 60);
  const micros = match[7] === undefined ? 0 : Number(match[7].slice(0, 6).padEnd(6, '0'));
  return (days * 86_400 + hour * 3600 + minute * 60 + second - offset) * usPerSecond + micros;
}

const digitZero = 48;

/** The number that `count` digits at a position say; -1 where they are none. */
function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - digitZero;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Whether a text is surely printed as it should be, told without a regular expression. Of days only 1 to 28 are: the others take the long way. */
function isPlainlyCanonical(text: string, fraction: number): boolean {
  const end = fraction === 0 ? 19 : 20 + fraction;
  if (text.length !== end + 1 || text[4] !== '-' || text[7] !== '-' || text[10] !== 'T' || text[13] !== ':' || text[16] !== ':')
    return false;
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  if (month < 1 || month > 12 || day < 1 || day > 28 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
    return false;
  return digits(text, 0, 4) >= 0 && text[end] === 'Z' && (fraction === 0 || (text[19] === '.' && digits(text, 20, fraction) >= 0));
}

/** The whole seconds of a plainly canonical text, in microseconds since the epoch. */
function plainMicros(text: string): number {
  const days = daysFromCivil(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2));
  return (days * 86_400 + digits(text, 11, 2) * 3600 + digits(text, 14, 2) * 60 + digits(text, 17, 2)) * usPerSecond;
}

/** The text as metav1.Time would print it again: UTC, whole seconds. Undefined where it is no time. */
export function canonicalTime(text: string): string | undefined {
  if (isPlainlyCanonical(text, 0)) return text;
  const us = parseTime(text);
  if (us === undefined) return undefined;
  return text.length === 20 && text.endsWith('Z') ? text : formatTime(us);
}

/** The text as metav1.MicroTime would print it again. */
export function canonicalMicroTime(text: string): string | undefined {
  if (isPlainlyCanonical(text, 6)) return text;
  const us = parseTime(text);
  if (us === undefined) return undefined;
  return text.length === 27 && text.endsWith('Z') ? text : formatMicroTime(us);
}
