import { type CelType, dyn, partsOf, sameType, withParts } from './type.ts';

/** Type variables of one expression and what they stand for: cel-go's checker/mapping.go and checker/types.go. */
export class Substitution {
  private bound: Map<string, CelType> = new Map();
  private fresh = 0;

  /** A type with its parameters renamed, so that each call has variables of its own. */
  instantiate(types: readonly CelType[]): readonly CelType[] {
    const suffix = `@${this.fresh++}`;
    const rename = (type: CelType): CelType =>
      type.kind === 'param' ? { kind: 'param', name: `${type.name}${suffix}` } : withParts(type, partsOf(type).map(rename));
    return types.map(rename);
  }

  newVariable(): CelType {
    return { kind: 'param', name: `_var${this.fresh++}` };
  }

  /** The type with its variables filled in. `last`: variables without a value are dyn. */
  resolve(type: CelType, last = false): CelType {
    if (type.kind === 'param') {
      const value = this.bound.get(type.name);
      return value === undefined ? (last ? dyn : type) : this.resolve(value, last);
    }
    const parts = partsOf(type);
    return parts.length === 0
      ? type
      : withParts(
          type,
          parts.map((part) => this.resolve(part, last)),
        );
  }

  /** Whether values of all types may stand where the others are declared; binds variables only if so. */
  assignAll(types: readonly CelType[], to: readonly CelType[]): boolean {
    if (types.length !== to.length) return false;
    const before = new Map(this.bound);
    if (types.every((type, i) => this.assign(type, to[i] ?? dyn))) return true;
    this.bound = before;
    return false;
  }

  private assign(a: CelType, b: CelType): boolean {
    if (b.kind === 'param') {
      if (sameType(a, b)) return true;
      const known = this.bound.get(b.name);
      if (known !== undefined) {
        if (!this.assign(a, known)) return false;
        const general = mostGeneral(a, known);
        if (!this.mentions(general, b.name)) this.bound.set(b.name, general);
        return true;
      }
      if (!this.mentions(a, b.name)) {
        this.bound.set(b.name, a);
        return true;
      }
      return false;
    }
    if (a.kind === 'param') return this.assign(b, a);
    if (a.kind === 'dyn' || b.kind === 'dyn') return true;
    if (isNull(a)) return takesNull(b);
    if (isNull(b)) return takesNull(a);
    if (a.kind === 'type' || b.kind === 'type') return a.kind === b.kind;
    const parts = partsOf(a);
    if (parts.length === 0) return sameType(a, b);
    if (constructorOf(a) !== constructorOf(b)) return false;
    const others = partsOf(b);
    return parts.every((part, i) => this.assign(part, others[i] ?? dyn));
  }

  private mentions(type: CelType, name: string): boolean {
    if (type.kind === 'param') {
      if (type.name === name) return true;
      const value = this.bound.get(type.name);
      return value !== undefined && this.mentions(value, name);
    }
    return partsOf(type).some((part) => this.mentions(part, name));
  }
}

function isNull(type: CelType): boolean {
  return type.kind === 'simple' && type.name === 'null_type';
}

/** What tells composed types apart besides their parts. */
function constructorOf(type: CelType): string {
  return type.kind === 'opaque' ? type.name : type.kind;
}

function takesNull(type: CelType): boolean {
  if (type.kind === 'simple') return type.name === 'null_type' || type.name === 'timestamp' || type.name === 'duration';
  return type.kind === 'object' || type.kind === 'opaque';
}

/** The more general of two types that agree. */
export function mostGeneral(a: CelType, b: CelType): CelType {
  return isAtLeastAsGeneral(a, b) ? a : b;
}

function isAtLeastAsGeneral(a: CelType, b: CelType): boolean {
  if (a.kind === 'dyn' || a.kind === 'param') return true;
  if (b.kind === 'dyn' || b.kind === 'param') return false;
  if (isNull(b)) return true;
  if (a.kind !== b.kind) return false;
  const others = partsOf(b);
  return partsOf(a).every((part, i) => isAtLeastAsGeneral(part, others[i] ?? dyn));
}
