import type { SelectorError } from './label-selector.ts';

/** One term of a field selector. */
export interface FieldRequirement {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

export type ParsedFieldSelector = readonly FieldRequirement[];

/** Upstream fields.splitTerms: commas that are not escaped by a backslash. */
function splitTerms(text: string): string[] {
  if (text.length === 0) return [];
  const terms: string[] = [];
  let start = 0;
  let escaped = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    if (escaped) escaped = false;
    else if (c === '\\') escaped = true;
    else if (c === ',') {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

/** Upstream fields.splitTerm: the first of '!=', '==' and '='. */
function splitTerm(term: string): FieldRequirement | undefined {
  for (let i = 0; i < term.length; i++) {
    const rest = term.slice(i);
    for (const operator of ['!=', '==', '='] as const) {
      if (rest.startsWith(operator)) {
        return { field: term.slice(0, i), operator: operator === '!=' ? '!=' : '=', value: rest.slice(operator.length) };
      }
    }
  }
  return undefined;
}

function unescaped(value: string): string | SelectorError {
  if (!/[\\,=]/.test(value)) return value;
  let out = '';
  for (let i = 0; i < value.length; i++) {
    const c = value.charAt(i);
    if (c === '\\') {
      const next = value.charAt(i + 1);
      if (next !== '\\' && next !== ',' && next !== '=') return { error: `invalid field selector: invalid escape sequence: \\${next}` };
      out += next;
      i++;
    } else if (c === ',' || c === '=') return { error: `invalid field selector: unescaped character in field selector: ${c}` };
    else out += c;
  }
  return out;
}

/** Upstream fields.ParseSelector. Terms keep their order of writing. */
export function parseFieldSelector(text: string): ParsedFieldSelector | SelectorError {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text)) {
    if (term === '') continue;
    const split = splitTerm(term);
    if (split === undefined) return { error: `invalid selector: '${text}'; can't understand '${term}'` };
    const value = unescaped(split.value);
    if (typeof value !== 'string') return value;
    requirements.push({ field: split.field, operator: split.operator, value });
  }
  return requirements;
}

export function fieldsMatch(selector: ParsedFieldSelector, fields: (name: string) => string): boolean {
  for (const { field, operator, value } of selector) if ((fields(field) === value) !== (operator === '=')) return false;
  return true;
}
