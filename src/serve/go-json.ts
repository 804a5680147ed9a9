import { LineCounter, parseDocument } from 'yaml';

/** A body as Go's decoder read it: the value, keys that were written twice, or the decoder's complaint. */
export type ParsedText =
  | { readonly value: unknown; readonly duplicates: readonly string[]; readonly error?: undefined }
  | { readonly error: string; readonly value?: undefined };

/** Parses JSON with the error texts of Go's encoding/json, and notes duplicate keys by path. */
export function parseGoJson(text: string): ParsedText {
  const parser = new Parser(text);
  try {
    const value = parser.document();
    return { value, duplicates: parser.duplicates };
  } catch (error) {
    if (error instanceof SyntaxProblem) return { error: error.message };
    throw error;
  }
}

class SyntaxProblem extends Error {}

class Parser {
  readonly duplicates: string[] = [];
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): unknown {
    const value = this.value('looking for beginning of value', '');
    this.space();
    if (this.at < this.text.length) this.bad('after top-level value');
    return value;
  }

  private space(): void {
    while (this.at < this.text.length && ' \t\r\n'.includes(this.text.charAt(this.at))) this.at++;
  }

  private bad(context: string): never {
    if (this.at >= this.text.length) throw new SyntaxProblem('unexpected end of JSON input');
    const char = String.fromCodePoint(this.text.codePointAt(this.at) ?? 0);
    const shown = char === "'" ? "'\\''" : char === '"' ? `'"'` : `'${JSON.stringify(char).slice(1, -1)}'`;
    throw new SyntaxProblem(`invalid character ${shown} ${context}`);
  }

  private value(context: string, path: string): unknown {
    this.space();
    const char = this.text.charAt(this.at);
    if (char === '{') return this.object(path);
    if (char === '[') return this.array(path);
    if (char === '"') return this.string();
    if (char === '-' || (char >= '0' && char <= '9')) return this.number();
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (char !== word.charAt(0)) continue;
      for (let i = 0; i < word.length; i++, this.at++) {
        if (this.text.charAt(this.at) !== word.charAt(i)) this.bad(`in literal ${word} (expecting '${word.charAt(i)}')`);
      }
      return value;
    }
    return this.bad(context);
  }

  private object(path: string): unknown {
    const out: Record<string, unknown> = {};
    this.at++;
    this.space();
    if (this.text.charAt(this.at) === '}') {
      this.at++;
      return out;
    }
    for (;;) {
      this.space();
      if (this.text.charAt(this.at) !== '"') this.bad('looking for beginning of object key string');
      const key = this.string();
      this.space();
      if (this.text.charAt(this.at) !== ':') this.bad('after object key');
      this.at++;
      const childPath = path === '' ? key : `${path}.${key}`;
      if (Object.hasOwn(out, key)) this.duplicates.push(childPath);
      const value = this.value('looking for beginning of value', childPath);
      Object.defineProperty(out, key, { value, enumerable: true, configurable: true, writable: true });
      this.space();
      const next = this.text.charAt(this.at);
      if (next === ',') {
        this.at++;
        continue;
      }
      if (next !== '}') this.bad('after object key:value pair');
      this.at++;
      return out;
    }
  }

  private array(path: string): unknown {
    const out: unknown[] = [];
    this.at++;
    this.space();
    if (this.text.charAt(this.at) === ']') {
      this.at++;
      return out;
    }
    for (;;) {
      out.push(this.value('looking for beginning of value', `${path}[${out.length}]`));
      this.space();
      const next = this.text.charAt(this.at);
      if (next === ',') {
        this.at++;
        continue;
      }
      if (next !== ']') this.bad('after array element');
      this.at++;
      return out;
    }
  }

  private string(): string {
    const start = this.at;
    this.at++;
    for (;;) {
      if (this.at >= this.text.length) this.bad('');
      const char = this.text.charAt(this.at);
      if (char === '\\') this.at += 2;
      else if (char === '"') break;
      else if (char < ' ') this.bad('in string literal');
      else this.at++;
    }
    this.at++;
    try {
      return JSON.parse(this.text.slice(start, this.at)) as string;
    } catch {
      throw new SyntaxProblem('invalid character in string escape code');
    }
  }

  private number(): number {
    const match = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/.exec(this.text.slice(this.at));
    if (match === null) {
      this.at++;
      return this.bad('in numeric literal');
    }
    this.at += match[0].length;
    return Number(match[0]);
  }
}

/** Parses YAML 1.1 as the API server does, by way of JSON. */
export function parseGoYaml(text: string): ParsedText {
  const lines = new LineCounter();
  const document = parseDocument(text, { version: '1.1', uniqueKeys: false, lineCounter: lines, logLevel: 'silent' });
  const problem = document.errors[0];
  if (problem !== undefined) return { error: 'error converting YAML to JSON: yaml: did not find expected key' };
  const duplicates: string[] = [];
  findDuplicates(document.contents, lines, duplicates);
  const found = duplicates.length === 0 ? [] : [`yaml: unmarshal errors:\n${duplicates.map((line) => `  ${line}`).join('\n')}`];
  return { value: document.toJS() as unknown, duplicates: found };
}

interface YamlNode {
  readonly items?: readonly unknown[];
  readonly key?: { readonly value?: unknown; readonly range?: readonly number[] };
  readonly value?: unknown;
}

function findDuplicates(node: unknown, lines: LineCounter, out: string[]): void {
  const { items } = (node ?? {}) as YamlNode;
  if (items === undefined) return;
  const seen = new Set<unknown>();
  for (const item of items) {
    const pair = item as YamlNode;
    if (pair?.key === undefined) {
      findDuplicates(item, lines, out);
      continue;
    }
    const name = pair.key.value;
    if (seen.has(name))
      out.push(
        `line ${lines.linePos(((pair.value ?? pair.key) as { readonly range?: readonly number[] }).range?.[0] ?? 0).line}: key ${JSON.stringify(name)} already set in map`,
      );
    seen.add(name);
    findDuplicates(pair.value, lines, out);
  }
}
