import type { ASTNode } from '@marcbachmann/cel-js';
import { functions, type Overload, typeNames } from './declarations.ts';
import { type Macro, macroOf } from './macros.ts';
import { type Issue, positionOf } from './source.ts';
import {
  bool,
  bytes,
  type CelType,
  double,
  dyn,
  int,
  isOptional,
  list,
  map as mapOf,
  nullType,
  optional,
  string,
  typeText,
  typeType,
  uint,
} from './type.ts';
import { mostGeneral, Substitution } from './unify.ts';

/** What the checker found of an expression without errors. */
export interface Checked {
  readonly type: CelType;
  readonly typeOf: (node: ASTNode) => CelType;
  /** The overloads that a call may mean. */
  readonly overloadsOf: (node: ASTNode) => readonly Overload[];
  /** The whole dotted name of a node that is a variable or the name of a type, such as `authorizer.requestResource`. */
  readonly nameOf: (node: ASTNode) => string | undefined;
  /** The qualified function that a method call means, such as `sets.contains`. */
  readonly functionOf: (node: ASTNode) => string | undefined;
  /** Variables of the environment that are used. */
  readonly used: ReadonlySet<string>;
}

/** A nested scope: a variable of a macro in front of those outside. */
interface Scope {
  readonly name: string;
  readonly type: CelType;
  readonly outer: Scope | undefined;
}

const operators: Readonly<Record<string, string>> = { '!_': '!_', '-_': '-_', in: '@in' };

/** Names and types, as cel-go's checker finds them: all errors of an expression, in its words. */
export class Checker {
  readonly issues: Issue[] = [];
  private readonly variables: ReadonlyMap<string, CelType>;
  private readonly substitution = new Substitution();
  private readonly types = new Map<ASTNode, CelType>();
  private readonly overloads = new Map<ASTNode, readonly Overload[]>();
  private readonly names = new Map<ASTNode, string>();
  private readonly qualified = new Map<ASTNode, string>();
  private readonly used = new Set<string>();

  constructor(variables: ReadonlyMap<string, CelType>) {
    this.variables = variables;
  }

  check(root: ASTNode): Checked {
    this.visit(root, undefined);
    const typeOf = (node: ASTNode): CelType => this.substitution.resolve(this.types.get(node) ?? dyn, true);
    return {
      type: typeOf(root),
      typeOf,
      overloadsOf: (node) => this.overloads.get(node) ?? [],
      nameOf: (node) => this.names.get(node),
      functionOf: (node) => this.qualified.get(node),
      used: this.used,
    };
  }

  private fail(node: ASTNode, message: string): CelType {
    this.issues.push({ offset: positionOf(node), message });
    return dyn;
  }

  private visit(node: ASTNode, scope: Scope | undefined): CelType {
    const type = this.typeAt(node, scope);
    this.types.set(node, type);
    return type;
  }

  private typeAt(node: ASTNode, scope: Scope | undefined): CelType {
    switch (node.op) {
      case 'value':
        return literalType(node.args);
      case 'id':
        return this.lookUp(node, node.args, scope) ?? this.fail(node, `undeclared reference to '${node.args}' (in container '')`);
      case '.':
        return this.select(node, node.args[0], node.args[1], scope);
      case '.?':
        return this.optionalSelect(node, node.args[0], node.args[1], scope);
      case '[]':
        return this.call(node, '_[_]', node.args, scope);
      case '[?]':
        return this.call(node, '_[?_]', node.args, scope);
      case 'list':
        return list(this.joined(node.args, scope));
      case 'map':
        return mapOf(
          this.joined(
            node.args.map(([key]) => key),
            scope,
          ),
          this.joined(
            node.args.map(([, value]) => value),
            scope,
          ),
        );
      case '?:':
        return this.call(node, '_?_:_', node.args, scope);
      case '!_':
      case '-_':
        return this.call(node, operators[node.op] ?? node.op, [node.args], scope);
      case 'call': {
        const macro = macroOf(node);
        return macro === undefined ? this.call(node, node.args[0], node.args[1], scope) : this.macro(node, macro, scope);
      }
      case 'rcall':
        return this.method(node, scope);
      default:
        return this.call(node, operators[node.op] ?? `_${node.op}_`, node.args, scope);
    }
  }

  /** A variable of a macro or of the environment, or the name of a type. */
  private lookUp(node: ASTNode, name: string, scope: Scope | undefined): CelType | undefined {
    for (let at = scope; at !== undefined; at = at.outer) if (at.name === name) return at.type;
    const variable = this.variables.get(name);
    if (variable !== undefined) {
      this.names.set(node, name);
      this.used.add(name);
      return variable;
    }
    if (!typeNames.has(name)) return undefined;
    this.names.set(node, name);
    return typeType;
  }

  private select(node: ASTNode, operand: ASTNode, field: string, scope: Scope | undefined): CelType {
    const path = dottedName(node);
    if (path !== undefined && !isBound(path, scope)) {
      const found = this.lookUp(node, path, undefined);
      if (found !== undefined) return found;
    }
    const type = this.substitution.resolve(this.visit(operand, scope));
    if (isOptional(type)) return optional(this.field(node, type.parameters[0] ?? dyn, field));
    return this.field(node, type, field);
  }

  private field(node: ASTNode, type: CelType, field: string): CelType {
    switch (type.kind) {
      case 'map':
        return type.value;
      case 'object':
        return type.fields.get(field)?.type ?? this.fail(node, `undefined field '${field}'`);
      case 'param': {
        // A variable without a value becomes dyn by being selected from.
        this.substitution.assignAll([dyn], [type]);
        return dyn;
      }
      case 'dyn':
        return dyn;
      default:
        return this.fail(node, `type '${typeText(this.substitution.resolve(type))}' does not support field selection`);
    }
  }

  private optionalSelect(node: ASTNode, operand: ASTNode, field: string, scope: Scope | undefined): CelType {
    const type = this.substitution.resolve(this.visit(operand, scope));
    const inner = isOptional(type) ? (type.parameters[0] ?? dyn) : type;
    return optional(this.field(node, inner, field));
  }

  /** The common type of the elements of a literal. */
  private joined(nodes: readonly ASTNode[], scope: Scope | undefined): CelType {
    let joined: CelType | undefined;
    for (const node of nodes) {
      const type = this.visit(node, scope);
      if (joined === undefined) joined = type;
      else if (this.substitution.assignAll([joined], [type]))
        joined = mostGeneral(this.substitution.resolve(joined), this.substitution.resolve(type));
      else {
        const expected = typeText(this.substitution.resolve(joined));
        this.fail(node, `expected type '${expected}' but found '${typeText(this.substitution.resolve(type))}'`);
      }
    }
    return joined ?? this.substitution.newVariable();
  }

  private method(node: ASTNode & { readonly op: 'rcall' }, scope: Scope | undefined): CelType {
    const [name, receiver, given] = node.args;
    const macro = macroOf(node);
    if (macro !== undefined) return this.macro(node, macro, scope);
    const path = dottedName(receiver);
    if (path !== undefined && !isBound(path, scope) && functions.has(`${path}.${name}`)) {
      this.qualified.set(node, `${path}.${name}`);
      return this.call(node, `${path}.${name}`, given, scope);
    }
    const target = this.visit(receiver, scope);
    return this.resolveCall(node, name, [target, ...given.map((argument) => this.visit(argument, scope))], true);
  }

  private call(node: ASTNode, name: string, given: readonly ASTNode[], scope: Scope | undefined): CelType {
    return this.resolveCall(
      node,
      name,
      given.map((argument) => this.visit(argument, scope)),
      false,
    );
  }

  private resolveCall(node: ASTNode, name: string, types: readonly CelType[], isMethod: boolean): CelType {
    const declared = functions.get(name);
    if (declared === undefined) return this.fail(node, `undeclared reference to '${name}' (in container '')`);
    let result: CelType | undefined;
    const matching: Overload[] = [];
    const given = types.map((type) => this.substitution.resolve(type));
    for (const overload of declared) {
      if (overload.isMethod !== isMethod) continue;
      const [own = dyn, ...parameters] = this.substitution.instantiate([overload.result, ...overload.parameters]);
      if (!this.substitution.assignAll(types, parameters)) continue;
      matching.push(overload);
      const type = this.substitution.resolve(own);
      result = result === undefined || typeText(result) === typeText(type) ? type : dyn;
    }
    if (result !== undefined) {
      this.overloads.set(node, matching);
      return result;
    }
    const [target, ...others] = given.map(typeText);
    const applied = isMethod ? `${target}.(${others.join(', ')})` : `(${given.map(typeText).join(', ')})`;
    return this.fail(node, `found no matching overload for '${name}' applied to '${applied}'`);
  }

  /** A macro as what it is expanded to, of which the errors speak. */
  private macro(node: ASTNode, macro: Macro, scope: Scope | undefined): CelType {
    switch (macro.kind) {
      case 'has': {
        const { operand } = macro;
        if (operand.op !== '.' && operand.op !== '.?') return this.failMacro(operand, 'invalid argument to has() macro');
        this.visit(operand, scope);
        return bool;
      }
      case 'bind': {
        const { variable, value, body } = macro;
        if (variable.op !== 'id') return this.failMacro(variable, 'cel.bind() variable names must be simple identifiers');
        return this.visit(body, { name: variable.args, type: this.visit(value, scope), outer: scope });
      }
      case 'optional':
        return this.optionalMacro(node, macro, scope);
      case 'loop':
        return this.loop(node, macro, scope);
    }
  }

  private failMacro(node: ASTNode, message: string): CelType {
    this.issues.push({ offset: node.op === 'id' || node.op === 'value' ? node.start : positionOf(node), message });
    return dyn;
  }

  private optionalMacro(node: ASTNode, macro: Macro & { kind: 'optional' }, scope: Scope | undefined): CelType {
    const { variable, body, target } = macro;
    if (variable.op !== 'id')
      return this.failMacro(variable, `${macro.flat ? 'optFlatMap' : 'optMap'}() variable name must be a simple identifier`);
    const type = this.substitution.resolve(this.visit(target, scope));
    const inner = isOptional(type) ? (type.parameters[0] ?? dyn) : dyn;
    if (!isOptional(type) && type.kind !== 'dyn')
      this.fail(node, `found no matching overload for 'hasValue' applied to '${typeText(type)}.()'`);
    const result = this.visit(body, { name: variable.args, type: inner, outer: scope });
    return macro.flat ? result : optional(result);
  }

  private loop(node: ASTNode, macro: Macro & { kind: 'loop' }, scope: Scope | undefined): CelType {
    for (const variable of macro.variables) if (variable.op !== 'id') return this.failMacro(variable, 'argument must be a simple name');
    const range = this.substitution.resolve(this.visit(macro.range, scope));
    const items = itemTypes(range, macro.variables.length);
    if (items === undefined) {
      this.fail(macro.range, `expression of type '${typeText(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`);
    }
    let inner = scope;
    macro.variables.forEach((variable, i) => {
      inner = { name: variable.args as string, type: items?.[i] ?? dyn, outer: inner };
    });
    const condition = macro.condition === undefined ? bool : this.visit(macro.condition, inner);
    if (!this.substitution.assignAll([condition], [bool])) {
      const found = typeText(this.substitution.resolve(condition));
      if (macro.name === 'all' || macro.name === 'exists')
        this.fail(node, `found no matching overload for '_${macro.name === 'all' ? '&&' : '||'}_' applied to '(bool, ${found})'`);
      else this.fail(node, `found no matching overload for '_?_:_' applied to '(${found}, ${stepText(macro)})'`);
    }
    const value = macro.value === undefined ? undefined : this.visit(macro.value, inner);
    switch (macro.name) {
      case 'all':
      case 'exists':
      case 'exists_one':
      case 'existsOne':
        return bool;
      case 'filter':
        return list(range.kind === 'list' ? range.element : range.kind === 'map' ? range.key : dyn);
      case 'map':
      case 'transformList':
        return list(value ?? dyn);
      case 'transformMap':
        return mapOf(range.kind === 'map' ? range.key : range.kind === 'list' ? int : dyn, value ?? dyn);
      case 'transformMapEntry':
        return value ?? dyn;
      default:
        return dyn;
    }
  }
}

/** What the branches of an expanded macro are, where its condition is no bool. */
function stepText(macro: Macro & { kind: 'loop' }): string {
  return macro.name === 'exists_one' || macro.name === 'existsOne' ? 'int, int' : 'list(dyn), list(dyn)';
}

/** The types of a macro's variables over a range; undefined if it is no range. */
function itemTypes(range: CelType, count: number): readonly CelType[] | undefined {
  switch (range.kind) {
    case 'list':
      return count === 2 ? [int, range.element] : [range.element];
    case 'map':
      return count === 2 ? [range.key, range.value] : [range.key];
    case 'dyn':
    case 'param':
      return [dyn, dyn];
    default:
      return undefined;
  }
}

function isBound(path: string, scope: Scope | undefined): boolean {
  const [root] = path.split('.');
  for (let at = scope; at !== undefined; at = at.outer) if (at.name === root) return true;
  return false;
}

/** `a.b.c` of nested selections from an identifier. */
function dottedName(node: ASTNode): string | undefined {
  if (node.op === 'id') return node.args;
  if (node.op !== '.') return undefined;
  const left = dottedName(node.args[0]);
  return left === undefined ? undefined : `${left}.${node.args[1]}`;
}

function literalType(value: unknown): CelType {
  switch (typeof value) {
    case 'string':
      return string;
    case 'bigint':
      return int;
    case 'number':
      return double;
    case 'boolean':
      return bool;
    default:
      if (value === null) return nullType;
      return value instanceof Uint8Array ? bytes : uint;
  }
}
