/** Placeholders that stand for a value that is the same wherever they occur. */
const bound = /^<(cluster|member:[^>]+|lease:[^>]+|token:[^>]+)>$/;
/** Placeholders for values that are not compared. */
const free = /^<(term|raftIndex|dbSize|dbSizeInUse|dbSizeQuota|hash|rev)>$/;
const numberedHash = /^<hash:(\d+)>$/;
const longValue = /^<(\d+) x>$/;

/** What the placeholders of one recording have come to stand for. */
export class Placeholders {
  readonly #values = new Map<string, string>();
  readonly #hashes = new Map<string, string>();

  /** Fixes what a placeholder stands for. */
  bind(placeholder: string, value: string): void {
    this.#values.set(placeholder, value);
  }

  valueOf(placeholder: string): string | undefined {
    return this.#values.get(placeholder);
  }

  /** Placeholders for members and the values that they stand for. */
  members(): readonly (readonly [placeholder: string, value: string])[] {
    return [...this.#values].filter(([placeholder]) => placeholder.startsWith('<member:'));
  }

  /** Fills a request's placeholders in, in all its texts. Long values become what they describe. */
  fill(value: unknown, current: string): unknown {
    if (typeof value === 'string') {
      const long = longValue.exec(value);
      if (long !== null) return 'x'.repeat(Number(long[1]));
      if (value === '<current>') return current;
      return bound.test(value) ? (this.#values.get(value) ?? 'garbage') : value;
    }
    if (Array.isArray(value)) return value.map((item) => this.fill(item, current));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.fill(item, current)]));
  }

  /** The first difference between what was recorded and what came, or undefined. `path` says where in the answer. */
  difference(expected: unknown, actual: unknown, path: string): string | undefined {
    if (typeof expected === 'string') return this.#textDifference(expected, actual, path);
    if (Array.isArray(expected)) {
      if (!Array.isArray(actual)) return `${path}: expected a list of ${expected.length}, got ${show(actual)}`;
      if (expected.length !== actual.length) {
        return `${path}: expected ${expected.length} items, got ${actual.length}: ${show(actual)}`;
      }
      for (let i = 0; i < expected.length; i++) {
        const found = this.difference(expected[i], actual[i], `${path}[${i}]`);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    if (typeof expected === 'object' && expected !== null) {
      if (typeof actual !== 'object' || actual === null || Array.isArray(actual))
        return `${path}: expected ${show(expected)}, got ${show(actual)}`;
      return this.#objectDifference(expected as Fields, actual as Fields, path);
    }
    return expected === actual ? undefined : `${path}: expected ${show(expected)}, got ${show(actual)}`;
  }

  #objectDifference(expected: Fields, actual: Fields, path: string): string | undefined {
    for (const name of Object.keys(expected)) {
      if (actual[name] === undefined) return `${path}.${name}: expected ${show(expected[name])}, but it is absent`;
      const found = this.difference(expected[name], actual[name], `${path}.${name}`);
      if (found !== undefined) return found;
    }
    const extra = Object.keys(actual).find((name) => actual[name] !== undefined && expected[name] === undefined);
    return extra === undefined ? undefined : `${path}.${extra}: expected it to be absent, got ${show(actual[extra])}`;
  }

  #textDifference(expected: string, actual: unknown, path: string): string | undefined {
    const differs = `${path}: expected ${expected}, got ${show(actual)}`;
    const long = longValue.exec(expected);
    if (long !== null) return actual === 'x'.repeat(Number(long[1])) ? undefined : differs;
    if (free.test(expected)) return actual === undefined || actual === '' ? differs : undefined;
    const hash = numberedHash.exec(expected);
    if (hash !== null) return this.#hashDifference(hash[1] ?? '', String(actual), path);
    if (bound.test(expected)) {
      const known = this.#values.get(expected);
      if (known === undefined) {
        this.#values.set(expected, String(actual));
        return undefined;
      }
      return known === String(actual) ? undefined : differs;
    }
    // Ids also stand inside texts.
    let filled = expected;
    for (const [placeholder, value] of this.#values) filled = filled.replaceAll(placeholder, value);
    return filled === actual ? undefined : differs;
  }

  /** Equal numbers are equal hashes, different numbers different ones. */
  #hashDifference(number: string, actual: string, path: string): string | undefined {
    const known = this.#hashes.get(number);
    if (known !== undefined) return known === actual ? undefined : `${path}: expected the hash ${known} of <hash:${number}>, got ${actual}`;
    for (const [other, value] of this.#hashes) {
      if (value === actual) return `${path}: expected a hash of its own for <hash:${number}>, got that of <hash:${other}>`;
    }
    this.#hashes.set(number, actual);
    return undefined;
  }
}

type Fields = { readonly [name: string]: unknown };

function show(value: unknown): string {
  const text = JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? String(v) : v)) ?? 'nothing';
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
