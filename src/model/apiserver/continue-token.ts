/** A continue token: where the next page starts, and at which version (-1: whatever is current). Upstream storage/continue.go. */
export interface ContinueToken {
  readonly revision: number;
  readonly startKey: string;
}

const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function toBase64(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    out += base64Alphabet.charAt((word >> 18) & 63) + base64Alphabet.charAt((word >> 12) & 63);
    if (i + 1 < bytes.length) out += base64Alphabet.charAt((word >> 6) & 63);
    if (i + 2 < bytes.length) out += base64Alphabet.charAt(word & 63);
  }
  return out;
}

function fromBase64(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let word = 0;
  for (const c of text) {
    const value = base64Alphabet.indexOf(c);
    if (value < 0) return undefined;
    word = (word << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((word >> bits) & 255);
    }
  }
  return Uint8Array.from(bytes);
}

/** Keys in a token are relative to the list's prefix, so that a token cannot reach elsewhere. */
export function encodeContinue(token: ContinueToken, prefix: string): string {
  const start = token.startKey.startsWith(prefix) ? token.startKey.slice(prefix.length) : token.startKey;
  return toBase64(new TextEncoder().encode(JSON.stringify({ v: 'meta.k8s.io/v1', rv: token.revision, start })));
}

/** The token, or what is wrong with it. */
export function decodeContinue(text: string, prefix: string): ContinueToken | string {
  const bytes = fromBase64(text.replace(/=+$/, ''));
  if (bytes === undefined) return 'continue key is not valid: illegal base64 data at input byte 0';
  const decoded = new TextDecoder('latin1').decode(bytes);
  let parsed: { readonly v?: unknown; readonly rv?: unknown; readonly start?: unknown };
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    const code = decoded.charCodeAt(0);
    const shown = code >= 0x20 && code < 0x7f ? `'${decoded.charAt(0)}'` : `'\\u${code.toString(16).padStart(4, '0')}'`;
    return `continue key is not valid: invalid character ${shown} looking for beginning of value`;
  }
  if (parsed.v !== 'meta.k8s.io/v1') return `continue key is not valid: server does not recognize this encoded version ${String(parsed.v)}`;
  if (typeof parsed.rv !== 'number' || parsed.rv === 0)
    return 'continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)';
  if (typeof parsed.start !== 'string' || parsed.start === '')
    return 'continue key is not valid: encoded start key empty (version meta.k8s.io/v1)';
  if (parsed.start.split('/').includes('..')) return `continue key is not valid: ${parsed.start}`;
  return { revision: parsed.rv, startKey: prefix + parsed.start };
}
