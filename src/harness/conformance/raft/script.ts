/** An argument of a directive: a bare key, or a key with one or more values. */
export interface ScriptArgument {
  readonly key: string;
  readonly values: readonly string[];
}

/** One command of a script with its expected output. */
export interface Directive {
  /** Line of the command in the file, from 1. */
  readonly line: number;
  readonly command: string;
  readonly arguments: readonly ScriptArgument[];
  readonly input: string;
  readonly expected: string;
}

/** Splits at commas outside parentheses. */
function splitValues(text: string): string[] {
  const values: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')') depth--;
    else if (text[i] === ',' && depth === 0) {
      values.push(text.slice(from, i).trim());
      from = i + 1;
    }
  }
  values.push(text.slice(from).trim());
  return values;
}

/** Position after the parenthesis that closes the one at `open`. */
function closingEnd(text: string, open: number): number {
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i + 1;
  }
  throw new Error(`unbalanced parentheses in "${text}"`);
}

/** Parses the directive line after the command. */
export function parseArguments(text: string): ScriptArgument[] {
  const found: ScriptArgument[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === ' ') {
      at++;
      continue;
    }
    let end = at;
    while (end < text.length && text[end] !== ' ' && text[end] !== '=') end++;
    const key = text.slice(at, end);
    if (text[end] !== '=') {
      found.push({ key, values: [] });
      at = end;
    } else if (text[end + 1] === '(') {
      const close = closingEnd(text, end + 1);
      const inner = text.slice(end + 2, close - 1);
      found.push({ key, values: inner === '' ? [] : splitValues(inner) });
      at = close;
    } else {
      let stop = end + 1;
      while (stop < text.length && text[stop] !== ' ') stop++;
      found.push({ key, values: [text.slice(end + 1, stop)] });
      at = stop;
    }
  }
  return found;
}

/** Parses a file of the datadriven format. */
export function parseScript(text: string): Directive[] {
  const lines = text.split('\n');
  if (lines[lines.length - 1] === '') lines.pop();
  const directives: Directive[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = at + 1;
    let head = (lines[at++] ?? '').trim();
    if (head === '' || head.startsWith('#')) continue;
    while (head.endsWith('\\') && at < lines.length) {
      head = `${head.slice(0, -1).trimEnd()} ${(lines[at++] ?? '').trim()}`;
    }
    const space = head.indexOf(' ');
    const command = space < 0 ? head : head.slice(0, space);
    const input: string[] = [];
    while (at < lines.length && lines[at] !== '----') input.push(lines[at++] ?? '');
    if (at >= lines.length) throw new Error(`line ${line}: "${command}" has no expected output`);
    at++;
    const output: string[] = [];
    if (lines[at] === '----') {
      at++;
      while (at < lines.length && !(lines[at] === '----' && lines[at + 1] === '----')) output.push(lines[at++] ?? '');
      at += 2;
    } else {
      while (at < lines.length && (lines[at] ?? '').trim() !== '') output.push(lines[at++] ?? '');
    }
    directives.push({
      line,
      command,
      arguments: space < 0 ? [] : parseArguments(head.slice(space + 1)),
      input: input.join('\n').trim(),
      expected: output.map((each) => `${each}\n`).join(''),
    });
  }
  return directives;
}
