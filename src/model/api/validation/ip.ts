import { type FieldErrors, invalid } from './field-errors.ts';

/** Addresses and address ranges. Upstream: k8s.io/apimachinery/pkg/util/validation/ip.go, sloppy about leading zeros. */

/** Bytes of an address: 4 of IPv4, 16 of IPv6. Undefined where the text is no address. */
export function parseIp(text: string): readonly number[] | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): readonly number[] | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const bytes: number[] = [];
  for (const part of parts) {
    if (!/^[0-9]+$/.test(part)) return undefined;
    const byte = Number(part);
    if (byte > 255) return undefined;
    bytes.push(byte);
  }
  return bytes;
}

function parseIpv6(text: string): readonly number[] | undefined {
  if (text.includes('%')) return undefined;
  let head = text;
  let tail4: readonly number[] | undefined;
  const colon = text.lastIndexOf(':');
  if (text.slice(colon + 1).includes('.')) {
    tail4 = parseIpv4(text.slice(colon + 1));
    if (tail4 === undefined) return undefined;
    head = `${text.slice(0, colon)}:0:0`;
  }
  const gap = head.indexOf('::');
  if (gap >= 0 && head.indexOf('::', gap + 1) >= 0) return undefined;
  const left = gap < 0 ? head.split(':') : head.slice(0, gap) === '' ? [] : head.slice(0, gap).split(':');
  const right = gap < 0 || head.slice(gap + 2) === '' ? [] : head.slice(gap + 2).split(':');
  const words = gap < 0 ? left : [...left, ...Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  if (words.length !== 8 || (gap >= 0 && left.length + right.length > 7)) return undefined;
  const bytes: number[] = [];
  for (const word of words) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(word)) return undefined;
    const value = Number.parseInt(word, 16);
    bytes.push(value >> 8, value & 255);
  }
  if (tail4 !== undefined) bytes.splice(12, 4, ...tail4);
  return bytes;
}

/** Whether the text is an IPv6 address. */
export function isIpv6(text: string): boolean {
  return text.includes(':') && parseIpv6(text) !== undefined;
}

/** Whether the text is an IPv4 address. */
export function isIpv4(text: string): boolean {
  return !text.includes(':') && parseIpv4(text) !== undefined;
}

/** An address range. */
export interface Cidr {
  readonly bytes: readonly number[];
  readonly prefix: number;
}

export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const bytes = parseIp(text.slice(0, slash));
  const prefixText = text.slice(slash + 1);
  if (bytes === undefined || !/^[0-9]+$/.test(prefixText)) return undefined;
  const prefix = Number(prefixText);
  return prefix > bytes.length * 8 ? undefined : { bytes, prefix };
}

/** Whether an address lies in a range. */
export function cidrContains(cidr: Cidr, bytes: readonly number[]): boolean {
  if (cidr.bytes.length !== bytes.length) return false;
  for (let bit = 0; bit < cidr.prefix; bit += 8) {
    const keep = Math.min(8, cidr.prefix - bit);
    const mask = (0xff << (8 - keep)) & 0xff;
    if (((cidr.bytes[bit >> 3] ?? 0) & mask) !== ((bytes[bit >> 3] ?? 0) & mask)) return false;
  }
  return true;
}

/** validation.IsValidIP. */
export function checkIp(text: string, field: string, out: FieldErrors): boolean {
  if (parseIp(text) !== undefined) return true;
  out.push(invalid(field, text, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'));
  return false;
}

/** validation.IsValidCIDR. */
export function checkCidr(text: string, field: string, out: FieldErrors): boolean {
  if (parseCidr(text) !== undefined) return true;
  out.push(invalid(field, text, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'));
  return false;
}

/** ValidateNonSpecialIP: no unspecified, loopback or link-local addresses. */
export function checkNonSpecialIp(text: string, field: string, out: FieldErrors): void {
  const bytes = parseIp(text);
  if (bytes === undefined) {
    out.push(invalid(field, text, 'must be a valid IP address'));
    return;
  }
  const v4 = bytes.length === 4;
  const [a = 0, b = 0, c = 0] = bytes;
  if (bytes.every((byte) => byte === 0)) out.push(invalid(field, text, `may not be unspecified (${text})`));
  if (v4 ? a === 127 : bytes.every((byte, i) => byte === (i === 15 ? 1 : 0))) {
    out.push(invalid(field, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'));
  }
  if (v4 ? a === 169 && b === 254 : a === 0xfe && (b & 0xc0) === 0x80) {
    out.push(invalid(field, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'));
  }
  if (v4 ? a === 224 && b === 0 && c === 0 : a === 0xff && (b & 0x0f) === 2) {
    out.push(invalid(field, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'));
  }
}
