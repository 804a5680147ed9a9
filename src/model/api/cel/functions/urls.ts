import { fail, noSuchOverload, Opaque } from '../value.ts';
import { type Call, type CelFunction, textAt } from './call.ts';

interface Parts {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
}

class UrlValue extends Opaque {
  readonly typeName = 'kubernetes.URL';
  readonly parts: Parts;
  constructor(parts: Parts) {
    super();
    this.parts = parts;
  }
  equals(other: Opaque): boolean {
    return other instanceof UrlValue && JSON.stringify(other.parts) === JSON.stringify(this.parts);
  }
}

/** Go's url.ParseRequestURI: an absolute URL or an absolute path. */
function parse(text: string): Parts | undefined {
  if (text === '' || /[\s\p{Cc}]/u.test(text)) return undefined;
  const match = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):(?:\/\/(?:[^@/?]*@)?([^/?]*))?)?([^?]*)(?:\?(.*))?$/s.exec(text);
  if (match === null) return undefined;
  const [, scheme = '', host = '', path = '', query = ''] = match;
  if (scheme === '' && !path.startsWith('/')) return undefined;
  if (/%(?![0-9a-fA-F]{2})/.test(host + path) || !/^(\[[^\]]*\]|[^:[\]]*)(:\d*)?$/.test(host)) return undefined;
  return { scheme: scheme.toLowerCase(), host, path, query };
}

function of(read: (parts: Parts) => string): CelFunction {
  return ({ arguments: [value] }) => (value instanceof UrlValue ? read(value.parts) : fail(noSuchOverload));
}

const hostPattern = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/;

function query(call: Call): ReadonlyMap<string, readonly string[]> {
  const [value] = call.arguments;
  if (!(value instanceof UrlValue)) return fail(noSuchOverload);
  const out = new Map<string, string[]>();
  for (const [key, text] of new URLSearchParams(value.parts.query)) out.set(key, [...(out.get(key) ?? []), text]);
  return out;
}

export const urlFunctions: Readonly<Record<string, CelFunction>> = {
  url: (call) => {
    const parts = parse(textAt(call, 0));
    return parts === undefined
      ? fail(`URL parse error during conversion from string: parse ${JSON.stringify(textAt(call, 0))}: invalid URI for request`)
      : new UrlValue(parts);
  },
  isURL: (call) => parse(textAt(call, 0)) !== undefined,
  getScheme: of(({ scheme }) => scheme),
  getHost: of(({ host }) => host),
  getHostname: of(({ host }) => hostPattern.exec(host)?.[1] ?? hostPattern.exec(host)?.[2] ?? ''),
  getPort: of(({ host }) => hostPattern.exec(host)?.[3] ?? ''),
  getEscapedPath: of(({ path }) => path),
  getQuery: query,
};
