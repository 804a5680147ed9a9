import type { ASTNode } from '@marcbachmann/cel-js';

/** A macro's call, taken apart. */
export type Macro =
  | { readonly kind: 'has'; readonly operand: ASTNode }
  | { readonly kind: 'bind'; readonly variable: ASTNode; readonly value: ASTNode; readonly body: ASTNode }
  | { readonly kind: 'optional'; readonly target: ASTNode; readonly variable: ASTNode; readonly body: ASTNode; readonly flat: boolean }
  | {
      readonly kind: 'loop';
      readonly name: string;
      readonly range: ASTNode;
      /** One, or an index or key and its value. */
      readonly variables: readonly ASTNode[];
      readonly condition: ASTNode | undefined;
      readonly value: ASTNode | undefined;
    };

const quantifiers = new Set(['all', 'exists', 'exists_one']);
const pairQuantifiers = new Set(['all', 'exists', 'existsOne', 'exists_one']);
const transforms = new Set(['transformList', 'transformMap', 'transformMapEntry']);

const seen = new WeakMap<ASTNode, Macro | { readonly none: true }>();

/** The macro that a call is, by its name and the number of its arguments; undefined for functions. */
export function macroOf(node: ASTNode): Macro | undefined {
  let macro = seen.get(node);
  if (macro === undefined) {
    macro = read(node) ?? { none: true };
    seen.set(node, macro);
  }
  return 'none' in macro ? undefined : macro;
}

function read(node: ASTNode): Macro | undefined {
  if (node.op === 'call') {
    const [name, [operand, ...more]] = node.args;
    return name === 'has' && operand !== undefined && more.length === 0 ? { kind: 'has', operand } : undefined;
  }
  if (node.op !== 'rcall') return undefined;
  const [name, range, given] = node.args;
  const [first, second, third, fourth] = given;
  if (first === undefined || second === undefined) return undefined;
  if (third === undefined) {
    if (quantifiers.has(name) || name === 'filter')
      return { kind: 'loop', name, range, variables: [first], condition: second, value: undefined };
    if (name === 'map') return { kind: 'loop', name, range, variables: [first], condition: undefined, value: second };
    if (name === 'optMap' || name === 'optFlatMap')
      return { kind: 'optional', target: range, variable: first, body: second, flat: name === 'optFlatMap' };
    return undefined;
  }
  if (fourth === undefined) {
    if (name === 'bind' && range.op === 'id' && range.args === 'cel') return { kind: 'bind', variable: first, value: second, body: third };
    if (name === 'map') return { kind: 'loop', name, range, variables: [first], condition: second, value: third };
    if (pairQuantifiers.has(name)) return { kind: 'loop', name, range, variables: [first, second], condition: third, value: undefined };
    if (transforms.has(name)) return { kind: 'loop', name, range, variables: [first, second], condition: undefined, value: third };
    return undefined;
  }
  return transforms.has(name) && given.length === 4
    ? { kind: 'loop', name, range, variables: [first, second], condition: third, value: fourth }
    : undefined;
}
