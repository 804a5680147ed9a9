import { formatMicroTime, formatTime } from '../../../model/api/time.ts';

const token = /<(uid|rv|lrv|time|microtime|nanotime|now|age|name|ip|port|continue|token(?=:)|apiserver-id|hostname)([^<>]*)>/g;

const patterns: Readonly<Record<string, string>> = {
  uid: '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}',
  rv: '[0-9]+',
  lrv: '[0-9]+',
  time: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ',
  microtime: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{6}Z',
  nanotime: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{1,9}Z',
  now: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?Z',
  age: '(?:[0-9]+m)?[0-9]+s|[01]m',
  name: '[bcdfghjklmnpqrstvwxz2456789]{5}',
  ip: '10\\.96\\.\\d{1,3}\\.\\d{1,3}',
  port: '[0-9]{4,5}',
  continue: '[A-Za-z0-9_=-]+',
  token: '[A-Za-z0-9_.-]+',
  'apiserver-id': '[a-z0-9-]+',
  hostname: '[A-Za-z0-9.-]+',
};

/** Kinds of placeholder whose value, once seen, stays. */
const bound = new Set(['uid', 'rv', 'lrv', 'name', 'ip', 'port', 'continue', 'token']);

/** The values that stand for the placeholders of one suite. */
export class Placeholders {
  private readonly values = new Map<string, string>();
  private readonly versions = new Map<number, number>();

  /** A recorded value with placeholders as this server's own: what a replayer sends. */
  fill(value: unknown, nowUs: number): unknown {
    if (typeof value === 'string') return this.fillText(value, nowUs);
    if (Array.isArray(value)) return value.map((item) => this.fill(item, nowUs));
    if (typeof value !== 'object' || value === null) return value;
    const out: Record<string, unknown> = {};
    for (const [key, child] of Object.entries(value)) out[String(this.fillText(key, nowUs))] = this.fill(child, nowUs);
    return out;
  }

  fillText(text: string, nowUs: number): string | number {
    if (!text.includes('<')) return text;
    const whole = /^<port:\d+>$/.exec(text);
    if (whole !== null) return Number(this.values.get(text.slice(1, -1)) ?? '30000');
    return text.replace(token, (all, kind: string, rest: string) => {
      if (kind === 'now') return nowText(rest, nowUs);
      const key = `${kind}${rest}`;
      const known = this.values.get(key);
      if (known !== undefined) return known;
      if (key === 'rv:0') return '1';
      if (kind === 'time') return formatTime(nowUs);
      if (kind === 'microtime') return formatMicroTime(nowUs);
      return all;
    });
  }

  /** Whether an answer's text is the recorded one, and binds what is seen for the first time. */
  matches(expected: string, actual: string | number): boolean {
    if (!expected.includes('<')) return expected === actual;
    const names: string[] = [];
    let source = '';
    let last = 0;
    for (const match of expected.matchAll(token)) {
      source += escaped(expected.slice(last, match.index));
      const key = `${match[1]}${match[2]}`;
      names.push(key);
      source += key === 'rv:current' ? '([0-9]+)' : `(${patterns[match[1] ?? ''] ?? '.*'})`;
      last = match.index + match[0].length;
    }
    if (names.length === 0) return expected === actual;
    source += escaped(expected.slice(last));
    const found = new RegExp(`^${source}$`, 's').exec(String(actual));
    if (found === null) return false;
    return names.every((name, i) => this.bind(name, found[i + 1] ?? ''));
  }

  private bind(name: string, value: string): boolean {
    const kind = name.split(/[:+-]/)[0] ?? '';
    if (!bound.has(kind) || name === 'rv:current' || name === 'rv:0') return true;
    const known = this.values.get(name);
    if (known !== undefined) return known === value;
    if (kind === 'rv' && !this.fitsOrder(Number(name.slice(3)), Number(value))) return false;
    this.values.set(name, value);
    return true;
  }

  /** The rank of a version among all versions must be the rank of its value. */
  private fitsOrder(rank: number, value: number): boolean {
    for (const [other, otherValue] of this.versions) if (Math.sign(other - rank) !== Math.sign(otherValue - value)) return false;
    this.versions.set(rank, value);
    return true;
  }
}

function nowText(rest: string, nowUs: number): string {
  const match = /^([+-])(\d+)s(µ)?$/.exec(rest);
  const at = match === null ? nowUs : nowUs + (match[1] === '-' ? -1 : 1) * Number(match[2]) * 1_000_000;
  return match?.[3] === undefined ? formatTime(at) : formatMicroTime(at);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
