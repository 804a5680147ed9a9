import { fail, noSuchOverload, Opaque } from '../value.ts';
import { type Call, type CelFunction, textAt } from './call.ts';

const shape =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][\dA-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][\dA-Za-z-]*))*))?(?:\+([\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*))?$/;

/** A version as of semver.org 2.0.0. */
export class SemverValue extends Opaque {
  readonly typeName = 'kubernetes.Semver';
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly prerelease: readonly string[];

  constructor(numbers: readonly [bigint, bigint, bigint], prerelease: readonly string[]) {
    super();
    this.numbers = numbers;
    this.prerelease = prerelease;
  }

  equals(other: Opaque): boolean {
    return other instanceof SemverValue && this.compare(other) === 0;
  }

  compare(other: SemverValue): number {
    for (let i = 0; i < 3; i++) {
      const a = this.numbers[i] ?? 0n;
      const b = other.numbers[i] ?? 0n;
      if (a !== b) return a < b ? -1 : 1;
    }
    if (this.prerelease.length === 0 || other.prerelease.length === 0) return Math.sign(other.prerelease.length - this.prerelease.length);
    for (let i = 0; i < Math.min(this.prerelease.length, other.prerelease.length); i++) {
      const order = comparePart(this.prerelease[i] ?? '', other.prerelease[i] ?? '');
      if (order !== 0) return order;
    }
    return Math.sign(this.prerelease.length - other.prerelease.length);
  }
}

function comparePart(a: string, b: string): number {
  const left = /^\d+$/.test(a) ? BigInt(a) : undefined;
  const right = /^\d+$/.test(b) ? BigInt(b) : undefined;
  if (left !== undefined && right !== undefined) return left < right ? -1 : left > right ? 1 : 0;
  if (left !== undefined || right !== undefined) return left === undefined ? 1 : -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Go's ParseTolerant: a leading v, short versions and leading zeros are put right first. */
function normalized(text: string): string {
  const trimmed = text.trim().replace(/^v/, '');
  const [core = '', rest = ''] = [/^[\d.]*/.exec(trimmed)?.[0] ?? '', trimmed.replace(/^[\d.]*/, '')];
  const parts = core.split('.').map((part) => part.replace(/^0+(?=\d)/, ''));
  while (parts.length < 3) parts.push('0');
  return parts.join('.') + rest;
}

function read(call: Call): SemverValue | undefined {
  const text = textAt(call, 0);
  const match = shape.exec(call.arguments[1] === true ? normalized(text) : text);
  if (match === null) return undefined;
  const [, major = '0', minor = '0', patch = '0', prerelease] = match;
  return new SemverValue([BigInt(major), BigInt(minor), BigInt(patch)], prerelease === undefined ? [] : prerelease.split('.'));
}

function number(index: 0 | 1 | 2): CelFunction {
  return ({ arguments: [value] }) => (value instanceof SemverValue ? value.numbers[index] : fail(noSuchOverload));
}

export const semverFunctions: Readonly<Record<string, CelFunction>> = {
  semver: (call) => read(call) ?? fail(`No Major.Minor.Patch elements found`),
  isSemver: (call) => read(call) !== undefined,
  major: number(0),
  minor: number(1),
  patch: number(2),
};
