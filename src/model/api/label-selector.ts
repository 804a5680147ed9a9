import { isLabelValue, isQualifiedName } from './validation/names.ts';
import type { LabelSelector } from './types.ts';

/** One requirement of a label selector. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | '=' | '!=' | 'exists' | '!' | 'gt' | 'lt';
  readonly values: readonly string[];
}

export type Labels = { readonly [key: string]: string } | undefined;

/** A selector in its text form, parsed: upstream labels.Selector. Empty matches everything. */
export type ParsedLabelSelector = readonly LabelRequirement[];

/** A text that cannot be parsed, with the message that the API server answers. */
export interface SelectorError {
  readonly error: string;
}

export function isSelectorError(value: object): value is SelectorError {
  return 'error' in value;
}

type Token = 'identifier' | 'in' | 'notin' | '(' | ')' | ',' | '!' | '=' | '==' | '!=' | '>' | '<' | 'end' | 'error';
interface Lexeme {
  readonly token: Token;
  readonly text: string;
}

const special = '=!(),><';
const specialTokens = new Set(['(', ')', ',', '!', '=', '==', '!=', '>', '<']);
const binaryOperators = 'in, notin, =, ==, !=, gt, lt';

/** Upstream labels.Lexer: the longest run of special characters that is a token, or a word. */
function lex(text: string): Lexeme[] {
  const out: Lexeme[] = [];
  let at = 0;
  while (at < text.length) {
    const c = text.charAt(at);
    if (c === ' ' || c === '\t' || c === '\r' || c === '\n') {
      at++;
      continue;
    }
    if (special.includes(c)) {
      const pair = text.slice(at, at + 2);
      const token = specialTokens.has(pair) ? pair : c;
      out.push({ token: token as Token, text: token });
      at += token.length;
      continue;
    }
    let end = at;
    while (end < text.length && !special.includes(text.charAt(end)) && !/[ \t\r\n]/.test(text.charAt(end))) end++;
    const word = text.slice(at, end);
    out.push({ token: word === 'in' || word === 'notin' ? word : 'identifier', text: word });
    at = end;
  }
  out.push({ token: 'end', text: '' });
  return out;
}

class ParseFailure extends Error {}

/** Upstream labels.Parser, method by method, so that the messages agree. */
class SelectorParser {
  private at = 0;
  private readonly lexemes: readonly Lexeme[];
  constructor(text: string) {
    this.lexemes = lex(text);
  }

  private peek(asValue: boolean): Lexeme {
    const lexeme = this.lexemes[this.at] ?? { token: 'end', text: '' };
    if (asValue && (lexeme.token === 'in' || lexeme.token === 'notin')) return { token: 'identifier', text: lexeme.text };
    return lexeme;
  }

  private take(asValue: boolean): Lexeme {
    const lexeme = this.peek(asValue);
    this.at++;
    return lexeme;
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const { token, text } = this.peek(true);
      if (token === 'end') return requirements;
      if (token !== 'identifier' && token !== '!') throw new ParseFailure(`found '${text}', expected: !, identifier, or 'end of string'`);
      try {
        requirements.push(this.requirement());
      } catch (error) {
        if (error instanceof ParseFailure) throw new ParseFailure(`unable to parse requirement: ${error.message}`);
        throw error;
      }
      const next = this.take(true);
      if (next.token === 'end') return requirements;
      if (next.token !== ',') throw new ParseFailure(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = this.peek(true);
      if (after.token !== 'identifier' && after.token !== '!')
        throw new ParseFailure(`found '${after.text}', expected: identifier after ','`);
    }
  }

  private requirement(): LabelRequirement {
    let lexeme = this.take(true);
    const negated = lexeme.token === '!';
    if (negated) lexeme = this.take(true);
    if (lexeme.token !== 'identifier') throw new ParseFailure(`found '${lexeme.text}', expected: identifier`);
    const key = lexeme.text;
    const keyErrors = isQualifiedName(key);
    if (keyErrors.length > 0) throw new ParseFailure(`<nil>: Invalid value: ${JSON.stringify(key)}: ${keyErrors.join('; ')}`);
    if (negated) return { key, operator: '!', values: [] };
    const follow = this.peek(true);
    if (follow.token === 'end' || follow.token === ',') return { key, operator: 'exists', values: [] };
    const operator = this.take(false);
    let values: string[];
    let kind: LabelRequirement['operator'];
    switch (operator.token) {
      case 'in':
      case 'notin':
        kind = operator.token;
        values = this.values();
        break;
      case '=':
      case '==':
        kind = '=';
        values = this.exactValue();
        break;
      case '!=':
        kind = '!=';
        values = this.exactValue();
        break;
      case '>':
      case '<':
        kind = operator.token === '>' ? 'gt' : 'lt';
        values = this.exactValue();
        if (!/^[+-]?[0-9]+$/.test(values[0] ?? '')) {
          throw new ParseFailure(
            `values[0]: Invalid value: ${JSON.stringify(values[0])}: for 'Gt', 'Lt' operators, the value must be an integer`,
          );
        }
        break;
      default:
        throw new ParseFailure(`found '${operator.text}', expected: ${binaryOperators}`);
    }
    for (const [i, value] of values.entries()) {
      const errors = isLabelValue(value);
      if (errors.length > 0) throw new ParseFailure(`values[${i}][${key}]: Invalid value: ${JSON.stringify(value)}: ${errors.join('; ')}`);
    }
    return { key, operator: kind, values };
  }

  private values(): string[] {
    const open = this.take(true);
    if (open.token !== '(') throw new ParseFailure(`found '${open.text}' expected: '('`);
    const first = this.peek(true);
    if (first.token === ')') {
      this.take(true);
      return [''];
    }
    if (first.token !== 'identifier' && first.token !== ',')
      throw new ParseFailure(`found '${first.text}', expected: ',', ')' or identifier`);
    const list = this.identifiers();
    if (this.take(true).token !== ')') throw new ParseFailure(`found '${first.text}', expected: ')'`);
    return list;
  }

  private identifiers(): string[] {
    const found = new Set<string>();
    const sorted = (): string[] => [...found].sort();
    for (;;) {
      const { token, text } = this.take(true);
      if (token === 'identifier') {
        found.add(text);
        const next = this.peek(true);
        if (next.token === ',') continue;
        if (next.token === ')') return sorted();
        throw new ParseFailure(`found '${next.text}', expected: ',' or ')'`);
      }
      if (token !== ',') throw new ParseFailure(`found '${text}', expected: ',', or identifier`);
      if (found.size === 0) found.add('');
      const next = this.peek(true);
      if (next.token === ')') {
        found.add('');
        return sorted();
      }
      if (next.token === ',') {
        this.take(true);
        found.add('');
      }
    }
  }

  private exactValue(): string[] {
    const next = this.peek(true);
    if (next.token === 'end' || next.token === ',') return [''];
    this.take(true);
    if (next.token === 'identifier') return [next.text];
    throw new ParseFailure(`found '${next.text}', expected: identifier`);
  }
}

const parsedSelectors = new Map<string, ParsedLabelSelector | SelectorError>();

/** Parses the text form; requirements are sorted by key, as upstream does. */
export function parseLabelSelector(text: string): ParsedLabelSelector | SelectorError {
  const known = parsedSelectors.get(text);
  if (known !== undefined) return known;
  let answer: ParsedLabelSelector | SelectorError;
  try {
    answer = new SelectorParser(text).parse().sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  } catch (error) {
    if (!(error instanceof ParseFailure)) throw error;
    answer = { error: error.message };
  }
  if (parsedSelectors.size > 1000) parsedSelectors.clear();
  parsedSelectors.set(text, answer);
  return answer;
}

export function labelsMatch(selector: ParsedLabelSelector, labels: Labels): boolean {
  for (const requirement of selector) if (!requirementMatches(requirement, labels)) return false;
  return true;
}

function requirementMatches(requirement: LabelRequirement, labels: Labels): boolean {
  const has = labels !== undefined && Object.hasOwn(labels, requirement.key);
  const value = has ? labels[requirement.key] : undefined;
  switch (requirement.operator) {
    case 'exists':
      return has;
    case '!':
      return !has;
    case '=':
    case 'in':
      return value !== undefined && requirement.values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !requirement.values.includes(value);
    case 'gt':
    case 'lt': {
      if (value === undefined || !/^[+-]?[0-9]+$/.test(value)) return false;
      const a = BigInt(value);
      const b = BigInt(requirement.values[0] ?? '0');
      return requirement.operator === 'gt' ? a > b : a < b;
    }
  }
}

/** The canonical text of a selector, as Scale.status.selector shows it. */
export function formatLabelSelector(selector: ParsedLabelSelector): string {
  return selector
    .map(({ key, operator, values }) => {
      switch (operator) {
        case 'exists':
          return key;
        case '!':
          return `!${key}`;
        case 'in':
        case 'notin':
          return `${key} ${operator} (${[...values].sort().join(',')})`;
        case 'gt':
          return `${key}>${values[0]}`;
        case 'lt':
          return `${key}<${values[0]}`;
        default:
          return `${key}${operator}${values[0]}`;
      }
    })
    .join(',');
}

const nothing: ParsedLabelSelector = [{ key: '', operator: 'in', values: [] }];
const compiled = new WeakMap<LabelSelector, ParsedLabelSelector>();

/**
 * metav1.LabelSelectorAsSelector: an absent selector matches nothing, an empty one everything. Compiled once per object (they are immutable).
 */
export function selectorOf(selector: LabelSelector | undefined): ParsedLabelSelector {
  if (selector === undefined) return nothing;
  const known = compiled.get(selector);
  if (known !== undefined) return known;
  const requirements: LabelRequirement[] = [];
  const { matchLabels, matchExpressions } = selector;
  if (matchLabels) for (const key of Object.keys(matchLabels)) requirements.push({ key, operator: '=', values: [matchLabels[key] ?? ''] });
  for (const expression of matchExpressions ?? []) {
    const values = expression.values ?? [];
    switch (expression.operator) {
      case 'In':
        requirements.push({ key: expression.key, operator: 'in', values });
        break;
      case 'NotIn':
        requirements.push({ key: expression.key, operator: 'notin', values });
        break;
      case 'Exists':
        requirements.push({ key: expression.key, operator: 'exists', values: [] });
        break;
      case 'DoesNotExist':
        requirements.push({ key: expression.key, operator: '!', values: [] });
        break;
    }
  }
  requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  compiled.set(selector, requirements);
  return requirements;
}

/** Whether a metav1.LabelSelector matches these labels. */
export function labelSelectorMatches(selector: LabelSelector | undefined, labels: Labels): boolean {
  return labelsMatch(selectorOf(selector), labels);
}
