import { type Cidr, cidrContains, parseCidr, parseIp } from '../../validation/ip.ts';
import { fail, noSuchOverload, Opaque, type Value } from '../value.ts';
import { type Call, type CelFunction, textAt } from './call.ts';

class IpValue extends Opaque {
  readonly typeName = 'net.IP';
  readonly bytes: readonly number[];
  constructor(bytes: readonly number[]) {
    super();
    this.bytes = bytes;
  }
  equals(other: Opaque): boolean {
    return other instanceof IpValue && addressText(other.bytes) === addressText(this.bytes);
  }
}

class CidrValue extends Opaque {
  readonly typeName = 'net.CIDR';
  readonly cidr: Cidr;
  constructor(cidr: Cidr) {
    super();
    this.cidr = cidr;
  }
  equals(other: Opaque): boolean {
    return (
      other instanceof CidrValue && other.cidr.prefix === this.cidr.prefix && addressText(other.cidr.bytes) === addressText(this.cidr.bytes)
    );
  }
}

/** The canonical text of an address: RFC 5952 for IPv6. */
export function addressText(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  let best = { from: 0, length: 1 };
  for (let from = 0; from < 8; from++) {
    let length = 0;
    while (words[from + length] === 0) length++;
    if (length > best.length) best = { from, length };
  }
  const text = (part: readonly number[]): string => part.map((word) => word.toString(16)).join(':');
  return best.length < 2 ? text(words) : `${text(words.slice(0, best.from))}::${text(words.slice(best.from + best.length))}`;
}

/** Strict, as Go's netip: no leading zeros, no zone, no IPv4 inside IPv6. */
function strictIp(text: string): readonly number[] | undefined {
  if (!text.includes(':')) return text.split('.').some((part) => /^0\d/.test(part)) ? undefined : parseIp(text);
  const bytes = parseIp(text);
  const isMapped = bytes?.slice(0, 10).every((byte) => byte === 0) === true && bytes[10] === 255 && bytes[11] === 255;
  return isMapped ? undefined : bytes;
}

function strictCidr(text: string): Cidr | undefined {
  const [address = '', prefix = ''] = text.split('/');
  return strictIp(address) === undefined || /^0\d/.test(prefix) ? undefined : parseCidr(text);
}

function ipOf(value: Value | undefined): readonly number[] {
  if (value instanceof IpValue) return value.bytes;
  if (typeof value !== 'string') return fail(noSuchOverload);
  return (
    strictIp(value) ??
    fail(
      `IP Address ${JSON.stringify(value)} parse error during conversion from string: ParseAddr(${JSON.stringify(value)}): unable to parse IP`,
    )
  );
}

function cidrOf(value: Value | undefined): Cidr {
  if (value instanceof CidrValue) return value.cidr;
  if (typeof value !== 'string') return fail(noSuchOverload);
  return (
    strictCidr(value) ??
    fail(`network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(value)}): no '/'`)
  );
}

function masked({ bytes, prefix }: Cidr): Cidr {
  return {
    prefix,
    bytes: bytes.map((byte, i) => {
      const keep = Math.max(0, Math.min(8, prefix - 8 * i));
      return byte & ((0xff << (8 - keep)) & 0xff);
    }),
  };
}

const isUnspecified = (bytes: readonly number[]): boolean => bytes.every((byte) => byte === 0);
const isLoopback = (bytes: readonly number[]): boolean =>
  bytes.length === 4 ? bytes[0] === 127 : bytes.every((byte, i) => byte === (i === 15 ? 1 : 0));
const isLinkLocal = ([a = 0, b = 0, ...rest]: readonly number[]): boolean =>
  rest.length === 2 ? a === 169 && b === 254 : a === 0xfe && (b & 0xc0) === 0x80;
const isLinkLocalMulticast = ([a = 0, b = 0, c = 0, ...rest]: readonly number[]): boolean =>
  rest.length === 1 ? a === 224 && b === 0 && c === 0 : a === 0xff && (b & 0x0f) === 2;
const isMulticast = ([a = 0, , , , ...rest]: readonly number[]): boolean => (rest.length === 0 ? (a & 0xf0) === 0xe0 : a === 0xff);
const isBroadcast = (bytes: readonly number[]): boolean => bytes.length === 4 && bytes.every((byte) => byte === 255);

function ofIp(test: (bytes: readonly number[]) => boolean): CelFunction {
  return ({ arguments: [value] }) => (value instanceof IpValue ? test(value.bytes) : fail(noSuchOverload));
}

function ip(call: Call): Value {
  const [value] = call.arguments;
  return new IpValue(value instanceof CidrValue ? value.cidr.bytes : ipOf(value));
}

function cidrReceiver(call: Call): Cidr {
  const [value] = call.arguments;
  return value instanceof CidrValue ? value.cidr : fail(noSuchOverload);
}

export const addressFunctions: Readonly<Record<string, CelFunction>> = {
  ip,
  isIP: (call) => strictIp(textAt(call, 0)) !== undefined,
  'ip.isCanonical': (call) => addressText(ipOf(textAt(call, 0))) === textAt(call, 0),
  family: ({ arguments: [value] }) => (value instanceof IpValue ? (value.bytes.length === 4 ? 4n : 6n) : fail(noSuchOverload)),
  isUnspecified: ofIp(isUnspecified),
  isLoopback: ofIp(isLoopback),
  isLinkLocalMulticast: ofIp(isLinkLocalMulticast),
  isLinkLocalUnicast: ofIp(isLinkLocal),
  isGlobalUnicast: ofIp(
    (bytes) => !isUnspecified(bytes) && !isLoopback(bytes) && !isMulticast(bytes) && !isLinkLocal(bytes) && !isBroadcast(bytes),
  ),
  cidr: (call) => new CidrValue(cidrOf(textAt(call, 0))),
  isCIDR: (call) => strictCidr(textAt(call, 0)) !== undefined,
  containsIP: (call) => cidrContains(cidrReceiver(call), ipOf(call.arguments[1])),
  containsCIDR: (call) => {
    const cidr = cidrReceiver(call);
    const inner = cidrOf(call.arguments[1]);
    return inner.prefix >= cidr.prefix && cidrContains(cidr, inner.bytes);
  },
  masked: (call) => new CidrValue(masked(cidrReceiver(call))),
  prefixLength: (call) => BigInt(cidrReceiver(call).prefix),
};

/** The text of an address or range in `string()`. */
export function addressValueText(value: Opaque): string | undefined {
  if (value instanceof IpValue) return addressText(value.bytes);
  return value instanceof CidrValue ? `${addressText(value.cidr.bytes)}/${value.cidr.prefix}` : undefined;
}
