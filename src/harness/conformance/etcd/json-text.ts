/** A JSON value with where it stands, so that refusals can name the place as protojson does. */
export type JsonNode = { readonly at: Place; readonly text: string } & (
  | { readonly kind: 'object'; readonly members: readonly { readonly name: string; readonly at: Place; readonly value: JsonNode }[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'number'; readonly value: string }
  | { readonly kind: 'literal'; readonly value: true | false | null }
);

/** Counted from 1, as Go's protojson counts. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The text is not JSON; the message is that of Go's encoding/json. */
export class JsonTextError extends Error {
  override readonly name = 'JsonTextError';
}

/** Parses JSON, keeping places and the raw text of every value. */
export function parseJsonText(text: string): JsonNode {
  const reader = new Reader(text);
  const node = reader.value();
  return node;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): JsonNode {
    this.#space();
    const start = this.#at;
    const char = this.#text[start];
    if (char === undefined) throw new JsonTextError('unexpected EOF');
    if (char === '{') return this.#object(start);
    if (char === '[') return this.#array(start);
    if (char === '"') {
      const value = this.#string();
      return { kind: 'string', value, ...this.#where(start) };
    }
    const number = /^-?\d+(\.\d+)?([eE][+-]?\d+)?/.exec(this.#text.slice(start));
    if (number !== null) {
      this.#at += number[0].length;
      return { kind: 'number', value: number[0], ...this.#where(start) };
    }
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (!this.#text.startsWith(word, start)) continue;
      this.#at += word.length;
      return { kind: 'literal', value, ...this.#where(start) };
    }
    throw new JsonTextError(`invalid character '${char}' looking for beginning of value`);
  }

  #object(start: number): JsonNode {
    this.#at++;
    const members: { name: string; at: Place; value: JsonNode }[] = [];
    for (;;) {
      this.#space();
      if (this.#take('}')) return { kind: 'object', members, ...this.#where(start) };
      if (members.length > 0) this.#need(',');
      this.#space();
      const at = this.#place(this.#at);
      if (this.#text[this.#at] !== '"') throw this.#unexpected('looking for beginning of object key string');
      const name = this.#string();
      this.#space();
      this.#need(':');
      members.push({ name, at, value: this.value() });
    }
  }

  #array(start: number): JsonNode {
    this.#at++;
    const items: JsonNode[] = [];
    for (;;) {
      this.#space();
      if (this.#take(']')) return { kind: 'array', items, ...this.#where(start) };
      if (items.length > 0) this.#need(',');
      items.push(this.value());
    }
  }

  #string(): string {
    const match = /^"(?:[^"\\]|\\.)*"/.exec(this.#text.slice(this.#at));
    if (match === null) throw new JsonTextError('unexpected EOF');
    this.#at += match[0].length;
    return JSON.parse(match[0]) as string;
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #need(char: string): void {
    if (!this.#take(char)) throw this.#unexpected(char === ':' ? 'after object key' : 'after object key:value pair');
  }

  #unexpected(where: string): JsonTextError {
    const char = this.#text[this.#at];
    return new JsonTextError(char === undefined ? 'unexpected EOF' : `invalid character '${char}' ${where}`);
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #where(start: number): { at: Place; text: string } {
    return { at: this.#place(start), text: this.#text.slice(start, this.#at) };
  }

  #place(index: number): Place {
    const before = this.#text.slice(0, index).split('\n');
    return { line: before.length, column: (before[before.length - 1]?.length ?? 0) + 1 };
  }
}
