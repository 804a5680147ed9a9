import type { ASTNode } from '@marcbachmann/cel-js';
import type { Checked } from './checker.ts';
import { functionTable } from './functions/table.ts';
import { type Macro, macroOf } from './macros.ts';
import { callUnits, createListUnits, createMapUnits } from './run-cost.ts';
import { dyn, isOptional, type CelType } from './type.ts';
import { CelFailure, fail, fromJson, keysOf, none, noSuchOverload, Optional, TypeValue, Uint, type Value, valueAt } from './value.ts';

/** Looks a variable of the environment up; undefined: it has no value. */
export type Variables = (name: string) => Value | undefined;

/** A macro's variable in front of those outside. */
interface Frame {
  readonly name: string;
  readonly value: Value;
  readonly outer: Frame | undefined;
}

/**
 * Evaluates an expression that has been checked. The library's own evaluator is not used: it cannot test the presence of a field behind
 * an index, fixes the standard functions to JavaScript's regular expressions and strings, counts no cost, and wants the numbers
 * of every object converted beforehand.
 */
export class Evaluator {
  private readonly checked: Checked;
  private readonly variables: Variables;
  private readonly unitsMax: number;
  private readonly known = new Map<string, Value>();
  /** What the evaluation has cost so far, in cel-go's units. */
  units = 0;

  constructor(checked: Checked, variables: Variables, unitsMax: number) {
    this.checked = checked;
    this.variables = variables;
    this.unitsMax = unitsMax;
  }

  run(root: ASTNode): Value {
    return this.evaluate(root, undefined);
  }

  private charge(units: number): void {
    this.units += units;
    if (this.units > this.unitsMax) fail('operation cancelled: actual cost limit exceeded');
  }

  private evaluate(node: ASTNode, frame: Frame | undefined): Value {
    switch (node.op) {
      case 'value':
        return literal(node.args);
      case 'id':
        return this.identifier(node, node.args, frame);
      case '.':
        return this.select(node, node.args[0], node.args[1], frame);
      case '.?':
        return this.optionalSelect(node.args[0], node.args[1], frame);
      case '[]':
        return this.index(node.args[0], node.args[1], frame);
      case '[?]':
        return this.optionalIndex(node.args[0], node.args[1], frame);
      case 'list':
        this.charge(createListUnits);
        return node.args.map((item) => this.evaluate(item, frame));
      case 'map':
        return this.createMap(node.args, frame);
      case '?:': {
        const condition = this.evaluate(node.args[0], frame);
        if (typeof condition !== 'boolean') return fail(noSuchOverload);
        return this.evaluate(condition ? node.args[1] : node.args[2], frame);
      }
      case '&&':
        return this.logical(node.args, false, frame);
      case '||':
        return this.logical(node.args, true, frame);
      case '!_':
      case '-_':
        return this.call(node.op, [node.args], frame);
      case 'call': {
        const macro = macroOf(node);
        return macro === undefined ? this.call(node.args[0], node.args[1], frame) : this.macro(macro, frame);
      }
      case 'rcall': {
        const macro = macroOf(node);
        if (macro !== undefined) return this.macro(macro, frame);
        const qualified = this.checked.functionOf(node);
        const [name, receiver, given] = node.args;
        if (qualified !== undefined) return this.call(qualified, given, frame);
        if (name === 'or' || name === 'orValue') return this.alternative(name, receiver, given[0], frame);
        return this.call(name, [receiver, ...given], frame);
      }
      case 'in':
        return this.call('@in', node.args, frame);
      default:
        return this.call(`_${node.op}_`, node.args, frame);
    }
  }

  private identifier(node: ASTNode, name: string, frame: Frame | undefined): Value {
    this.charge(1);
    for (let at = frame; at !== undefined; at = at.outer) if (at.name === name) return at.value;
    return this.variable(node, this.checked.nameOf(node) ?? name);
  }

  private variable(node: ASTNode, name: string): Value {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    if (this.checked.typeOf(node).kind === 'type' && !this.checked.used.has(name)) return new TypeValue(name);
    const value = this.variables(name);
    if (value === undefined) return fail(`no such attribute(s): ${name}`);
    this.known.set(name, value);
    return value;
  }

  private select(node: ASTNode, operand: ASTNode, field: string, frame: Frame | undefined): Value {
    const name = this.checked.nameOf(node);
    if (name !== undefined) {
      this.charge(1);
      return this.variable(node, name);
    }
    const container = this.evaluate(operand, frame);
    this.charge(1);
    const type = this.checked.typeOf(operand);
    if (container instanceof Optional) return this.optionalField(container, type, field);
    const value = this.fieldOf(container, type, field);
    return value === undefined ? fail(`no such key: ${field}`) : value;
  }

  private fieldOf(container: Value, type: CelType, field: string): Value | undefined {
    if (type.kind === 'object') {
      const declared = type.fields.get(field);
      return valueAt(container, declared?.property ?? field, declared?.type);
    }
    return valueAt(container, field, type.kind === 'map' ? type.value : dyn);
  }

  private optionalField(container: Optional, type: CelType, field: string): Optional {
    if (container.value === undefined) return none;
    const inner = isOptional(type) ? (type.parameters[0] ?? dyn) : dyn;
    const value = this.fieldOf(container.value, inner, field);
    return value === undefined ? none : new Optional(value);
  }

  private optionalSelect(operand: ASTNode, field: string, frame: Frame | undefined): Value {
    const container = this.evaluate(operand, frame);
    this.charge(1);
    const type = this.checked.typeOf(operand);
    if (container instanceof Optional) return this.optionalField(container, type, field);
    const value = this.fieldOf(container, type, field);
    return value === undefined ? none : new Optional(value);
  }

  private index(operand: ASTNode, key: ASTNode, frame: Frame | undefined): Value {
    const container = this.evaluate(operand, frame);
    const at = this.evaluate(key, frame);
    this.charge(1);
    const type = this.checked.typeOf(operand);
    if (container instanceof Optional) {
      const value =
        container.value === undefined ? undefined : itemAt(container.value, at, isOptional(type) ? (type.parameters[0] ?? dyn) : dyn);
      return value === undefined ? none : new Optional(value);
    }
    const value = itemAt(container, at, type);
    if (value !== undefined) return value;
    return fail(Array.isArray(container) ? `index out of bounds: ${keyText(at)}` : `no such key: ${keyText(at)}`);
  }

  private optionalIndex(operand: ASTNode, key: ASTNode, frame: Frame | undefined): Value {
    const container = this.evaluate(operand, frame);
    const at = this.evaluate(key, frame);
    this.charge(1);
    const type = this.checked.typeOf(operand);
    const inner = container instanceof Optional ? container.value : container;
    const value = inner === undefined ? undefined : itemAt(inner, at, isOptional(type) ? (type.parameters[0] ?? dyn) : type);
    return value === undefined ? none : new Optional(value);
  }

  private createMap(entries: readonly (readonly [ASTNode, ASTNode])[], frame: Frame | undefined): Value {
    this.charge(createMapUnits);
    const out = new Map<Value, Value>();
    for (const [key, value] of entries) {
      const at = this.evaluate(key, frame);
      if (valueAt(out, at) !== undefined) return fail(`Failed with repeated key ${keyText(at)}`);
      out.set(at, this.evaluate(value, frame));
    }
    return out;
  }

  /** `&&` and `||`: a side that decides wins over an error of the other. */
  private logical([left, right]: readonly [ASTNode, ASTNode], decisive: boolean, frame: Frame | undefined): Value {
    let failure: CelFailure | undefined;
    for (const side of [left, right]) {
      try {
        const value = this.evaluate(side, frame);
        if (value === decisive) return decisive;
        if (typeof value !== 'boolean') failure ??= new CelFailure(noSuchOverload);
      } catch (error) {
        if (!(error instanceof CelFailure) || this.units > this.unitsMax) throw error;
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return !decisive;
  }

  private call(name: string, given: readonly ASTNode[], frame: Frame | undefined): Value {
    const values = given.map((argument) => this.evaluate(argument, frame));
    const run = functionTable.get(name);
    if (run === undefined) return fail(noSuchOverload);
    const result = run({ arguments: values, types: given.map((argument) => this.checked.typeOf(argument)) });
    this.charge(callUnits(name, values, result));
    return result;
  }

  private alternative(name: 'or' | 'orValue', receiver: ASTNode, other: ASTNode | undefined, frame: Frame | undefined): Value {
    const value = this.evaluate(receiver, frame);
    this.charge(1);
    if (!(value instanceof Optional) || other === undefined) return fail(noSuchOverload);
    if (value.value !== undefined) return name === 'or' ? value : value.value;
    return this.evaluate(other, frame);
  }

  private macro(macro: Macro, frame: Frame | undefined): Value {
    switch (macro.kind) {
      case 'has':
        return this.has(macro.operand, frame);
      case 'bind':
        return this.evaluate(macro.body, { name: nameOf(macro.variable), value: this.evaluate(macro.value, frame), outer: frame });
      case 'optional': {
        const value = this.evaluate(macro.target, frame);
        if (!(value instanceof Optional)) return fail(noSuchOverload);
        if (value.value === undefined) return none;
        const result = this.evaluate(macro.body, { name: nameOf(macro.variable), value: value.value, outer: frame });
        return macro.flat ? result : new Optional(result);
      }
      case 'loop':
        return this.loop(macro, frame);
    }
  }

  /** Whether a field is there; what leads to it must be. */
  private has(operand: ASTNode, frame: Frame | undefined): Value {
    if (operand.op !== '.' && operand.op !== '.?') return fail(noSuchOverload);
    const container = this.evaluate(operand.args[0], frame);
    const type = this.checked.typeOf(operand.args[0]);
    if (container instanceof Optional) return this.optionalField(container, type, operand.args[1]).value !== undefined;
    if (keysOf(container) === undefined) return fail(noSuchOverload);
    // A null is there.
    return this.fieldOf(container, type, operand.args[1]) !== undefined;
  }

  private loop(macro: Macro & { readonly kind: 'loop' }, frame: Frame | undefined): Value {
    const range = this.evaluate(macro.range, frame);
    const pairs = this.pairsOf(range, this.checked.typeOf(macro.range));
    const isList = Array.isArray(range);
    const [first, second] = macro.variables.map(nameOf);
    const frameFor = ([key, value]: readonly [Value, Value]): Frame =>
      second === undefined
        ? { name: first ?? '', value: isList ? value : key, outer: frame }
        : { name: second, value, outer: { name: first ?? '', value: key, outer: frame } };
    switch (macro.name) {
      case 'all':
        return this.quantified(pairs.map(frameFor), macro.condition, false);
      case 'exists':
        return this.quantified(pairs.map(frameFor), macro.condition, true);
      case 'exists_one':
      case 'existsOne':
        return pairs.filter((pair) => this.holds(macro.condition, frameFor(pair))).length === 1;
      default:
        return this.transformed(macro, pairs, frameFor, isList);
    }
  }

  private pairsOf(range: Value, type: CelType): readonly (readonly [Value, Value])[] {
    if (Array.isArray(range)) {
      const element = type.kind === 'list' ? type.element : dyn;
      return range.map((item, i) => [BigInt(i), fromJson(item, element)] as const);
    }
    const keys = keysOf(range);
    if (keys === undefined) return fail(noSuchOverload);
    return keys.map((key) => [key, valueAt(range, key, type.kind === 'map' ? type.value : dyn) ?? null] as const);
  }

  /** `all` and `exists`: an item that decides wins over errors of the others. */
  private quantified(frames: readonly Frame[], condition: ASTNode | undefined, decisive: boolean): boolean {
    let failure: CelFailure | undefined;
    for (const frame of frames) {
      this.charge(3);
      try {
        if (this.holds(condition, frame) === decisive) return decisive;
      } catch (error) {
        if (!(error instanceof CelFailure) || this.units > this.unitsMax) throw error;
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return !decisive;
  }

  private holds(condition: ASTNode | undefined, frame: Frame): boolean {
    if (condition === undefined) return true;
    this.charge(1);
    const value = this.evaluate(condition, frame);
    return typeof value === 'boolean' ? value : fail(noSuchOverload);
  }

  private transformed(
    macro: Macro & { readonly kind: 'loop' },
    pairs: readonly (readonly [Value, Value])[],
    frameFor: (pair: readonly [Value, Value]) => Frame,
    isList: boolean,
  ): Value {
    const kept = pairs.filter((pair) => this.holds(macro.condition, frameFor(pair)));
    this.charge(createListUnits + kept.length * (createListUnits + 2));
    const made = (pair: readonly [Value, Value]): Value => (macro.value === undefined ? null : this.evaluate(macro.value, frameFor(pair)));
    switch (macro.name) {
      case 'filter':
        return kept.map(([key, value]) => (isList ? value : key));
      case 'transformMap':
        return new Map(kept.map((pair) => [pair[0], made(pair)]));
      case 'transformMapEntry': {
        const out = new Map<Value, Value>();
        for (const pair of kept) {
          const entry = made(pair);
          for (const key of keysOf(entry) ?? fail(noSuchOverload)) {
            if (valueAt(out, key) !== undefined) return fail(`insert failed: key ${keyText(key)} already exists`);
            out.set(key, valueAt(entry, key) ?? null);
          }
        }
        return out;
      }
      default:
        return kept.map(made);
    }
  }
}

function nameOf(node: ASTNode): string {
  return node.op === 'id' ? node.args : '';
}

/** An item of a list or map; undefined when there is none. */
function itemAt(container: Value, key: Value, type: CelType): Value | undefined {
  if (Array.isArray(container)) {
    const index = key instanceof Uint ? key.value : key;
    if (typeof index !== 'bigint' && !(typeof index === 'number' && Number.isInteger(index))) return fail(noSuchOverload);
    const at = Number(index);
    return at < 0 || at >= container.length ? undefined : fromJson(container[at], type.kind === 'list' ? type.element : dyn);
  }
  if (keysOf(container) === undefined) return fail(noSuchOverload);
  return valueAt(container, key, type.kind === 'map' ? type.value : dyn);
}

function keyText(key: Value): string {
  return key instanceof Uint ? String(key.value) : String(key as string | bigint | number | boolean);
}

/** A literal as the library reads it; its unsigned integers are a class of its own. */
function literal(value: unknown): Value {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value as Value;
  return new Uint(BigInt((value as { readonly valueOf: () => bigint }).valueOf()));
}
