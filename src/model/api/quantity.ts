/**
 * resource.Quantity: fixed-point numbers with a suffix, as upstream `k8s.io/apimachinery/pkg/api/resource`.
 * Amounts are kept in billionths as a bigint, so that every legal quantity is exact; anything finer rounds up, as upstream does.
 */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

export interface Quantity {
  /** The amount in billionths. */
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

const nanoPerUnit = 1_000_000_000n;
/** Upstream caps amounts at the largest int64. */
const nanoMax = 9_223_372_036_854_775_807n * nanoPerUnit;
const decimalExponents: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const decimalSuffixes: Readonly<Record<string, string>> = {
  '-9': 'n',
  '-6': 'u',
  '-3': 'm',
  '0': '',
  '3': 'k',
  '6': 'M',
  '9': 'G',
  '12': 'T',
  '15': 'P',
  '18': 'E',
};
const binaryPowers: Readonly<Record<string, number>> = { Ki: 1, Mi: 2, Gi: 3, Ti: 4, Pi: 5, Ei: 6 };
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/** The texts of upstream ErrFormatWrong, ErrNumeric and ErrSuffix. */
export const quantityErrors = {
  format: "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  numeric: 'unable to parse numeric part of quantity',
  suffix: "unable to parse quantity's suffix",
} as const;

const shape = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;
const exponentSuffix = /^[eE]([+-]?[0-9]+)$/;

/** Cache of parsed texts: the same few hundred quantities are read over and over. Emptied when full, so it never decides anything. */
const parsed = new Map<string, Quantity | string>();
const parsedSizeMax = 10_000;

/** Parses a quantity; a string answer is the error text. */
export function parseQuantity(text: string): Quantity | string {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const answer = parseAnew(text);
  if (parsed.size >= parsedSizeMax) parsed.clear();
  parsed.set(text, answer);
  return answer;
}

function parseAnew(text: string): Quantity | string {
  const match = shape.exec(text);
  if (text === '' || match === null) return quantityErrors.format;
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  if (whole === '' && fraction === '') return text === sign ? quantityErrors.format : quantityErrors.numeric;
  let exponent10 = 0;
  let scale = 1n;
  let format: QuantityFormat = 'DecimalSI';
  const decimal = decimalExponents[suffix];
  const binary = binaryPowers[suffix];
  if (decimal !== undefined) exponent10 = decimal;
  else if (binary !== undefined) {
    scale = 1024n ** BigInt(binary);
    format = 'BinarySI';
  } else {
    const exponent = exponentSuffix.exec(suffix);
    if (exponent === null) return quantityErrors.suffix;
    exponent10 = Number(exponent[1]);
    format = 'DecimalExponent';
  }
  const digits = BigInt(whole + fraction) * scale;
  const power = exponent10 - fraction.length + 9;
  let nano: bigint;
  if (digits === 0n) nano = 0n;
  else if (power >= 0) nano = power > 60 ? nanoMax : digits * 10n ** BigInt(power);
  else if (-power > 400) nano = 1n;
  else {
    const divisor = 10n ** BigInt(-power);
    nano = (digits + divisor - 1n) / divisor;
  }
  if (nano > nanoMax) nano = nanoMax;
  return { nano: sign === '-' ? -nano : nano, format };
}

/** The quantity of a text that validation has already accepted; unreadable text counts as zero. */
export function quantityOf(text: string | undefined): Quantity {
  const answer = text === undefined ? zero : parseQuantity(text);
  return typeof answer === 'string' ? zero : answer;
}

const zero: Quantity = { nano: 0n, format: 'DecimalSI' };

/** The canonical text: what the API server stores and answers. */
export function formatQuantity(quantity: Quantity): string {
  const { nano } = quantity;
  if (nano === 0n) return '0';
  let format = quantity.format;
  const magnitude = nano < 0n ? -nano : nano;
  if (format === 'BinarySI' && magnitude < 1024n * nanoPerUnit) format = 'DecimalSI';
  const sign = nano < 0n ? '-' : '';
  if (format === 'BinarySI') {
    let amount = (magnitude + nanoPerUnit - 1n) / nanoPerUnit;
    let power = 0;
    while (power < 6 && amount % 1024n === 0n) {
      amount /= 1024n;
      power++;
    }
    return `${sign}${amount}${binarySuffixes[power]}`;
  }
  let amount = magnitude;
  let exponent = -9;
  while (exponent < 18 && amount % 1000n === 0n) {
    amount /= 1000n;
    exponent += 3;
  }
  if (format === 'DecimalExponent') return exponent === 0 ? `${sign}${amount}` : `${sign}${amount}e${exponent}`;
  return `${sign}${amount}${decimalSuffixes[String(exponent)]}`;
}

/** Canonical form of a text, or the text itself where it is not a quantity. Numbers are what JSON allows instead of a string. */
export function canonicalQuantity(value: string | number): string {
  if (typeof value === 'number') return canonicalQuantity(String(value));
  const known = canonical.get(value);
  if (known !== undefined) return known;
  const quantity = parseQuantity(value.trim());
  const answer = typeof quantity === 'string' ? value : formatQuantity(quantity);
  if (canonical.size >= parsedSizeMax) canonical.clear();
  canonical.set(value, answer);
  return answer;
}
const canonical = new Map<string, string>();

/** -1, 0 or 1. */
export function compareQuantity(a: Quantity, b: Quantity): number {
  return a.nano < b.nano ? -1 : a.nano > b.nano ? 1 : 0;
}

/** The sum keeps the first one's format, unless that is zero. */
export function addQuantity(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano + b.nano, format: a.nano === 0n ? b.format : a.format };
}

/** The difference keeps the first one's format, unless that is zero. */
export function subtractQuantity(a: Quantity, b: Quantity): Quantity {
  return { nano: a.nano - b.nano, format: a.nano === 0n ? b.format : a.format };
}

/** The amount in whole units, rounded up: upstream Value(). */
export function quantityValue(quantity: Quantity): number {
  return roundUp(quantity.nano, nanoPerUnit);
}

/** The amount in thousandths, rounded up: upstream MilliValue(). */
export function quantityMilliValue(quantity: Quantity): number {
  return roundUp(quantity.nano, 1_000_000n);
}

/** A quantity of whole units. */
export function quantityFromUnits(units: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { nano: BigInt(units) * nanoPerUnit, format };
}

/** A quantity of thousandths. */
export function quantityFromMilli(milli: number | bigint, format: QuantityFormat = 'DecimalSI'): Quantity {
  return { nano: BigInt(milli) * 1_000_000n, format };
}

function roundUp(nano: bigint, divisor: bigint): number {
  const quotient = nano / divisor;
  return Number(nano > 0n && nano % divisor !== 0n ? quotient + 1n : quotient);
}
