import type { ASTNode } from '@marcbachmann/cel-js';
import type { Checked } from './checker.ts';
import type { Declared } from './declared.ts';
import { type Macro, macroOf } from './macros.ts';
import { createListUnits, createMapUnits, regexFactor, stringTraversalFactor } from './run-cost.ts';
import type { CelType } from './type.ts';

/** Beyond this, sums stay where they are: upstream's math.MaxUint64. */
export const unitsUnknown = 2 ** 64;

interface Range {
  readonly min: number;
  readonly max: number;
}

interface Entry {
  readonly isList: boolean;
  readonly key: Range;
  readonly value: Range;
}

/** A macro's variable: where its values lie, and what is known of their sizes. */
interface Scope {
  readonly name: string;
  readonly path: readonly string[];
  readonly size: Range | undefined;
  readonly entry: Entry | undefined;
  readonly outer: Scope | undefined;
}

const unknownSize: Range = { min: 0, max: unitsUnknown };
const zero: Range = { min: 0, max: 0 };
const one: Range = { min: 1, max: 1 };

function fixed(units: number): Range {
  return { min: units, max: units };
}

function capped(units: number): number {
  return Math.min(units, unitsUnknown);
}

function add(...ranges: readonly Range[]): Range {
  return ranges.reduce((sum, range) => ({ min: capped(sum.min + range.min), max: capped(sum.max + range.max) }), zero);
}

function multiply(a: Range, b: Range): Range {
  return { min: capped(a.min * b.min), max: capped(a.max * b.max) };
}

function scaled(range: Range, factor: number): Range {
  return { min: capped(Math.ceil(range.min * factor)), max: capped(Math.ceil(range.max * factor)) };
}

function union(a: Range, b: Range): Range {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}

const scalars = new Set(['bool', 'int', 'uint', 'double', 'null_type', 'timestamp', 'duration']);

/**
 * The worst that an expression may cost, by the sizes that its variables' schemas allow: cel-go's checker/cost.go with the functions of
 * `apiserver/pkg/cel/library/cost.go`, over macros as they are expanded there.
 */
export class CostEstimator {
  private readonly checked: Checked;
  private readonly roots: ReadonlyMap<string, Declared>;
  private readonly paths = new Map<ASTNode, readonly string[]>();
  private readonly sizes = new Map<ASTNode, Range>();
  private readonly entries = new Map<ASTNode, Entry>();

  constructor(checked: Checked, roots: ReadonlyMap<string, Declared>) {
    this.checked = checked;
    this.roots = roots;
  }

  /** The most units that one evaluation may cost. */
  unitsMax(root: ASTNode): number {
    return this.cost(root, undefined).max;
  }

  private cost(node: ASTNode, scope: Scope | undefined): Range {
    switch (node.op) {
      case 'value':
        return zero;
      case 'id': {
        const local = findIn(scope, node.args);
        this.paths.set(node, local?.path ?? [node.args]);
        if (local?.size !== undefined) this.sizes.set(node, local.size);
        if (local?.entry !== undefined) this.entries.set(node, local.entry);
        return one;
      }
      case '.':
        return this.select(node, node.args[0], node.args[1], scope);
      case '.?':
        return add(this.cost(node.args[0], scope), one);
      case 'list':
        return this.list(node, node.args, scope);
      case 'map':
        return this.map(node, node.args, scope);
      case '?:':
        return this.conditional(node, node.args, scope);
      case '&&':
      case '||': {
        const [left, right] = node.args.map((side) => this.cost(side, scope));
        return { min: left?.min ?? 0, max: add(left ?? zero, right ?? zero).max };
      }
      case '!_':
        return this.call(node, '!_', undefined, [node.args], scope);
      case '-_':
        // A sign in front of a number belongs to the literal.
        return node.args.op === 'value' ? zero : this.call(node, '-_', undefined, [node.args], scope);
      case '[]':
        return this.index(node, node.args, scope);
      case '[?]':
        return add(this.cost(node.args[0], scope), this.cost(node.args[1], scope), one);
      case 'call': {
        const macro = macroOf(node);
        return macro === undefined ? this.call(node, node.args[0], undefined, node.args[1], scope) : this.macro(node, macro, scope);
      }
      case 'rcall': {
        const macro = macroOf(node);
        if (macro !== undefined) return this.macro(node, macro, scope);
        const qualified = this.checked.functionOf(node);
        return qualified === undefined
          ? this.call(node, node.args[0], node.args[1], node.args[2], scope)
          : this.call(node, qualified, undefined, node.args[2], scope);
      }
      default:
        return this.call(node, node.op === 'in' ? '@in' : `_${node.op}_`, undefined, node.args, scope);
    }
  }

  private select(node: ASTNode, operand: ASTNode, field: string, scope: Scope | undefined): Range {
    const sum = this.cost(operand, scope);
    this.paths.set(node, [...(this.paths.get(operand) ?? []), field]);
    const { kind } = this.checked.typeOf(operand);
    return kind === 'map' || kind === 'object' || kind === 'param' ? add(sum, one) : sum;
  }

  private index(node: ASTNode, [operand, key]: readonly [ASTNode, ASTNode], scope: Scope | undefined): Range {
    const sum = add(this.cost(operand, scope), this.cost(key, scope), one);
    const type = this.checked.typeOf(operand);
    const path = this.paths.get(operand);
    if (path !== undefined && path.length > 0) this.paths.set(node, [...path, type.kind === 'map' ? '@values' : '@items']);
    const value = this.entries.get(operand)?.value;
    if (value !== undefined) this.sizes.set(node, value);
    return sum;
  }

  private list(node: ASTNode, items: readonly ASTNode[], scope: Scope | undefined): Range {
    const costs = items.map((item) => this.cost(item, scope));
    const value = items.length === 0 ? zero : items.map((item) => this.sizeOf(item)).reduce(union);
    this.entries.set(node, { isList: true, key: one, value });
    return add(fixed(createListUnits), ...costs);
  }

  private map(node: ASTNode, entries: readonly (readonly [ASTNode, ASTNode])[], scope: Scope | undefined): Range {
    const costs = entries.flatMap(([key, value]) => [this.cost(key, scope), this.cost(value, scope)]);
    const sizes = (index: 0 | 1): Range => (entries.length === 0 ? zero : entries.map((entry) => this.sizeOf(entry[index])).reduce(union));
    this.entries.set(node, { isList: false, key: sizes(0), value: sizes(1) });
    return add(fixed(createMapUnits), ...costs);
  }

  private conditional(node: ASTNode, [condition, yes, no]: readonly [ASTNode, ASTNode, ASTNode], scope: Scope | undefined): Range {
    const sum = add(this.cost(condition, scope), union(this.cost(yes, scope), this.cost(no, scope)));
    this.sizes.set(node, union(this.sizeOf(yes), this.sizeOf(no)));
    return sum;
  }

  /** The size of a value: counted where the expression makes it, else as its schema allows. */
  private sizeOf(node: ASTNode): Range {
    const known = this.sizes.get(node);
    if (known !== undefined) return known;
    if (node.op === 'value')
      return typeof node.args === 'string' ? fixed([...node.args].length) : node.args instanceof Uint8Array ? fixed(node.args.length) : one;
    if (node.op === 'list' || node.op === 'map') return fixed(node.args.length);
    return this.sizeAt(this.paths.get(node)) ?? typeSize(this.checked.typeOf(node)) ?? unknownSize;
  }

  private sizeAt(path: readonly string[] | undefined): Range | undefined {
    const found = this.declaredAt(path);
    return found === undefined ? undefined : { min: 0, max: found.elementsMax };
  }

  private declaredAt(path: readonly string[] | undefined): Declared | undefined {
    if (path === undefined || path.length === 0) return undefined;
    let at = this.roots.get(path[0] ?? '');
    for (const name of path.slice(1)) {
      if (at === undefined) return undefined;
      at = name === '@items' || name === '@values' ? at.element : name === '@keys' ? at.key : at.fields?.get(name);
    }
    return at;
  }

  private macro(node: ASTNode, macro: Macro, scope: Scope | undefined): Range {
    switch (macro.kind) {
      case 'has':
        // A test of presence costs nothing of its own.
        return macro.operand.op === '.' || macro.operand.op === '.?' ? this.cost(macro.operand.args[0], scope) : zero;
      case 'bind': {
        const value = this.cost(macro.value, scope);
        const body = this.cost(macro.body, {
          name: String(macro.variable.args),
          path: this.paths.get(macro.value) ?? [],
          size: this.sizeOf(macro.value),
          entry: this.entries.get(macro.value),
          outer: scope,
        });
        this.sizes.set(node, this.sizeOf(macro.body));
        return add(fixed(createListUnits), value, body);
      }
      case 'optional':
        // target.hasValue() ? optional.of(bind(variable, target.value(), body)) : optional.none()
        return add(
          multiply(fixed(2), this.cost(macro.target, scope)),
          this.cost(macro.body, { name: String(macro.variable.args), path: [], size: undefined, entry: undefined, outer: scope }),
          fixed(createListUnits + 4),
        );
      case 'loop':
        return this.loop(node, macro, scope);
    }
  }

  private loop(node: ASTNode, macro: Macro & { readonly kind: 'loop' }, scope: Scope | undefined): Range {
    const range = this.cost(macro.range, scope);
    const inner = this.scopeOf(macro, scope);
    const condition = macro.condition === undefined ? undefined : this.cost(macro.condition, inner);
    const value = macro.value === undefined ? undefined : this.cost(macro.value, inner);
    const count = this.sizeOf(macro.range);
    const { init, each, result } = loopParts(macro.name, condition ?? zero, value, macro.condition !== undefined);
    if (macro.name === 'all' || macro.name === 'exists') this.sizes.set(node, one);
    else if (macro.name !== 'exists_one' && macro.name !== 'existsOne') this.sizes.set(node, count);
    return add(range, init, result, multiply(count, each));
  }

  private scopeOf(macro: Macro & { readonly kind: 'loop' }, outer: Scope | undefined): Scope | undefined {
    const entry = this.entries.get(macro.range);
    const path = this.paths.get(macro.range) ?? [];
    const isList = entry?.isList ?? this.checked.typeOf(macro.range).kind === 'list';
    const variable = (node: ASTNode, step: string, size: Range | undefined, scope: Scope | undefined): Scope => ({
      name: String(node.args),
      path: path.length === 0 ? [] : [...path, step],
      size,
      entry: undefined,
      outer: scope,
    });
    const [first, second] = macro.variables;
    if (first === undefined) return outer;
    if (second === undefined) return isList ? variable(first, '@items', entry?.value, outer) : variable(first, '@keys', entry?.key, outer);
    return variable(second, isList ? '@items' : '@values', entry?.value, variable(first, isList ? '@indices' : '@keys', entry?.key, outer));
  }

  private call(node: ASTNode, name: string, target: ASTNode | undefined, given: readonly ASTNode[], scope: Scope | undefined): Range {
    const targetCost = target === undefined ? zero : this.cost(target, scope);
    const costs = given.map((argument) => this.cost(argument, scope));
    if (name === 'dyn' && given[0] !== undefined) {
      this.sizes.set(node, this.sizeOf(given[0]));
      return add(one, ...costs);
    }
    const { units, size } = this.callCost(node, name, target, given);
    if (size !== undefined) this.sizes.set(node, size);
    return add(targetCost, ...costs, units);
  }

  private callCost(
    node: ASTNode,
    name: string,
    target: ASTNode | undefined,
    given: readonly ASTNode[],
  ): { readonly units: Range; readonly size?: Range } {
    const own = target === undefined ? undefined : this.sizeOf(target);
    const [first, second] = given.map((argument) => this.sizeOf(argument));
    const text = (size: Range | undefined, times = 1): Range => scaled(size ?? unknownSize, times * stringTraversalFactor);
    switch (name) {
      case 'check':
        return { units: fixed(350_000) };
      case 'startsWith':
      case 'endsWith':
        return { units: text(first) };
      case 'contains':
        return { units: multiply(text(own), text(first)) };
      case 'matches': {
        const [subject, pattern] = own === undefined ? [first, second] : [own, first];
        return { units: multiply(text(add(subject ?? unknownSize, one)), scaled(pattern ?? unknownSize, regexFactor)) };
      }
      case 'find':
      case 'findAll':
        return {
          units: multiply(text(add(own ?? unknownSize, one)), scaled(first ?? unknownSize, regexFactor)),
          size: { min: 0, max: own?.max ?? unitsUnknown },
        };
      case '@in':
        return this.anyOverload(node, (overload) => (overload[1]?.kind === 'list' ? (second ?? unknownSize) : one));
      case '_+_':
        return this.sum(node, first ?? unknownSize, second ?? unknownSize);
      case '_==_':
      case '_!=_':
        return { units: comparison(first ?? unknownSize, second ?? unknownSize) };
      case '_<_':
      case '_<=_':
      case '_>_':
      case '_>=_':
        return this.anyOverload(node, (overload) => (isText(overload[0]) ? comparison(first ?? unknownSize, second ?? unknownSize) : one));
      case 'isSorted':
      case 'sum':
      case 'min':
      case 'max':
      case 'indexOf':
      case 'lastIndexOf':
        return { units: this.traversal(target) };
      case 'url':
      case 'quantity':
      case 'isQuantity':
        return { units: text(first) };
      case 'lowerAscii':
      case 'upperAscii':
      case 'substring':
      case 'trim':
        return own === undefined ? { units: one } : { units: text(own), size: own };
      case 'replace':
        return own === undefined
          ? { units: one }
          : { units: text(own, 2), size: replaced(own, first ?? unknownSize, second ?? unknownSize) };
      case 'split':
        return { units: text(own, 2), size: { min: 0, max: own?.max ?? unitsUnknown } };
      case 'join':
        return this.join(target, own ?? unknownSize, given.length > 0 ? (first ?? unknownSize) : undefined);
      case 'format':
        return { units: text(own), ...(own === undefined ? {} : { size: add(own, first ?? unknownSize) }) };
      case 'containsIP':
      case 'containsCIDR':
        return { units: add(text({ min: 8, max: 32 }), isText(this.checked.typeOf(given[0] ?? node)) ? text(first) : zero) };
      case 'bytes':
        return isText(this.checked.typeOf(given[0] ?? node))
          ? { units: text(first), size: multiply(first ?? unknownSize, { min: 1, max: 4 }) }
          : { units: one };
      default:
        return { units: one };
    }
  }

  /** The cost over all overloads that a call may mean. */
  private anyOverload(node: ASTNode, units: (parameters: readonly CelType[]) => Range): { readonly units: Range } {
    const costs = this.checked.overloadsOf(node).map((overload) => units(overload.parameters));
    return { units: costs.length === 0 ? one : costs.reduce(union) };
  }

  private sum(node: ASTNode, left: Range, right: Range): { readonly units: Range; readonly size?: Range } {
    const size = add(left, right);
    const { units } = this.anyOverload(node, ([parameter]) => (isText(parameter) ? scaled(size, stringTraversalFactor) : one));
    const isSized = this.checked.overloadsOf(node).some(({ parameters: [parameter] }) => isText(parameter) || parameter?.kind === 'list');
    return isSized ? { units, size } : { units };
  }

  /** One for each item of a list, and a traversal of its strings. */
  private traversal(target: ASTNode | undefined): Range {
    if (target === undefined) return one;
    const type = this.checked.typeOf(target);
    if (type.kind !== 'list') return scaled(this.sizeOf(target), stringTraversalFactor);
    const text = isText(type.element) ? scaled(this.itemSize(target), stringTraversalFactor) : zero;
    return multiply(this.sizeOf(target), add(one, text));
  }

  private itemSize(list: ASTNode): Range {
    const path = this.paths.get(list);
    return this.entries.get(list)?.value ?? (path === undefined ? undefined : this.sizeAt([...path, '@items'])) ?? unknownSize;
  }

  private join(target: ASTNode | undefined, count: Range, separator: Range | undefined): { readonly units: Range; readonly size: Range } {
    const items = target === undefined ? unknownSize : multiply(count, this.itemSize(target));
    const between = { min: Math.max(0, count.min - 1), max: Math.max(0, count.max - 1) };
    const size = separator === undefined ? items : add(items, multiply(separator, between));
    return { units: scaled(size, stringTraversalFactor), size };
  }
}

function findIn(scope: Scope | undefined, name: string): Scope | undefined {
  for (let at = scope; at !== undefined; at = at.outer) if (at.name === name) return at;
  return undefined;
}

function typeSize(type: CelType): Range | undefined {
  return type.kind === 'simple' && scalars.has(type.name) ? one : undefined;
}

function isText(type: CelType | undefined): boolean {
  return type?.kind === 'simple' && (type.name === 'string' || type.name === 'bytes');
}

/** Two values are compared no further than the shorter one goes. */
function comparison(left: Range, right: Range): Range {
  const max = Math.min(left.max, right.max);
  return scaled({ min: max > 0 ? 1 : 0, max }, stringTraversalFactor);
}

function replaced(text: Range, from: Range, to: Range): Range {
  const max =
    from.min === 0
      ? add(text, multiply(add(text, one), to)).max
      : to.max <= from.min
        ? text.max
        : multiply(fixed(Math.ceil(text.max / from.min)), to).max;
  return { min: 0, max: capped(max) };
}

/** A macro's expansion: what stands before the loop, in each of its turns (condition and step), and behind it. */
function loopParts(
  name: string,
  condition: Range,
  value: Range | undefined,
  isFiltered: boolean,
): { readonly init: Range; readonly each: Range; readonly result: Range } {
  const append = add(fixed(createListUnits + 2), value ?? one);
  switch (name) {
    case 'all':
      return { init: zero, each: { min: condition.min + 2, max: add(condition, fixed(3)).max }, result: one };
    case 'exists':
      return { init: zero, each: { min: condition.min + 3, max: add(condition, fixed(4)).max }, result: one };
    case 'exists_one':
    case 'existsOne':
      return { init: zero, each: add(condition, { min: 1, max: 2 }), result: fixed(2) };
    case 'transformMap':
    case 'transformMapEntry':
      return { init: fixed(createMapUnits), each: add(condition, value ?? zero, fixed(3)), result: one };
    default:
      return {
        init: fixed(createListUnits),
        each: isFiltered ? add(condition, union(append, one)) : append,
        result: one,
      };
  }
}
