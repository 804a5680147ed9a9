import type { ASTNode } from '@marcbachmann/cel-js';

/** A problem of an expression, at an offset in its text. */
export interface Issue {
  readonly offset: number;
  readonly message: string;
}

/** The issues as cel-go prints them: each with its line and a pointer below it, in the order of the text. */
export function issuesText(text: string, issues: readonly Issue[]): string {
  const sorted = issues.map((issue, i) => ({ ...issue, i })).sort((a, b) => a.offset - b.offset || a.i - b.i);
  return sorted.map((issue) => issueText(text, issue)).join('\n');
}

function issueText(text: string, { offset, message }: Issue): string {
  const before = text.slice(0, offset).split('\n');
  const line = before.length;
  const column = [...(before.at(-1) ?? '')].length;
  const shown = text.split('\n')[line - 1] ?? '';
  // A pointer as wide as what stands above it: full-width characters count double.
  const dots = [...shown.slice(0, (before.at(-1) ?? '').length)].map((char) => (isWide(char) ? '．' : '.')).join('');
  const pointer = isWide([...shown][column] ?? '') ? '＾' : '^';
  return `ERROR: <input>:${line}:${column + 1}: ${message}\n | ${shown.replace(/\t/g, ' ')}\n | ${dots}${pointer}`;
}

function isWide(char: string): boolean {
  return (char.codePointAt(0) ?? 0) > 0x7f;
}

/** The operator or bracket with which cel-go locates a node; the parser of the library remembers where operands begin and end. */
export function positionOf(node: ASTNode): number {
  const text = node.input;
  switch (node.op) {
    case 'value':
    case 'id':
    case 'list':
    case 'map':
    case '!_':
    case '-_':
      return node.start;
    case '.':
      return backTo(text, node.pos, '.');
    case '.?':
      return backTo(text, backTo(text, node.pos, '?') - 1, '.');
    case '[]':
    case '[?]':
      return forwardTo(text, node.args[0].end, '[');
    case 'call':
      return forwardTo(text, node.start + node.args[0].length, '(');
    case 'rcall': {
      const dot = forwardTo(text, node.args[1].end, '.');
      return forwardTo(text, forwardTo(text, dot + 1, node.args[0]) + node.args[0].length, '(');
    }
    case '?:':
      return forwardTo(text, node.args[0].end, '?');
    default:
      return forwardTo(text, node.args[0].end, node.op);
  }
}

function backTo(text: string, from: number, sign: string): number {
  const found = text.lastIndexOf(sign, from);
  return found < 0 ? from : found;
}

/** Only blanks, comments and closing brackets lie between an operand and its operator. */
function forwardTo(text: string, from: number, sign: string): number {
  let at = from;
  while (at < text.length && !text.startsWith(sign, at)) at = text.startsWith('//', at) ? Math.max(text.indexOf('\n', at), at + 1) : at + 1;
  return at < text.length ? at : from;
}
