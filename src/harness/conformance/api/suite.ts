import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { dirname, join } from 'node:path';

/** One recorded exchange: see the README beside the recordings for every field. */
export interface Exchange {
  readonly suite: string;
  readonly step: number;
  readonly name: string;
  readonly as?: string | { readonly token: string } | null;
  readonly note?: string;
  readonly waitBefore?: number;
  readonly before?: 'compact' | 'restart';
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: unknown;
  readonly contentType?: string | null;
  readonly bodyPad?: { readonly path: string; readonly char: string; readonly count: number };
  readonly status: number;
  readonly responseHeaders?: Readonly<Record<string, string | readonly string[]>>;
  readonly response?: unknown;
  readonly responseText?: string;
  readonly responseFile?: string;
  readonly watch?: { readonly id: string; readonly action: 'open' | 'close'; readonly end?: string };
  readonly events?: readonly unknown[];
  readonly unstable?: boolean;
  readonly unstablePaths?: readonly string[];
}

export interface Suite {
  readonly name: string;
  readonly about: string;
  readonly serverFlags: readonly string[];
  readonly exchanges: readonly Exchange[];
}

/** Reads one suite of recordings. */
export function readSuite(path: string): Suite {
  const [head, ...rest] = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
  const { suite, about, serverFlags = [] } = head as { suite: string; about: string; serverFlags?: readonly string[] };
  return { name: suite, about, serverFlags, exchanges: rest as readonly Exchange[] };
}

/** The body that lies in a file of its own. */
export function readResponseFile(suitePath: string, file: string): unknown {
  return JSON.parse(gunzipSync(readFileSync(join(dirname(suitePath), file))).toString('utf8'));
}
