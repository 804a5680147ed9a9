/** What a service account token says: the claims of a bound token, without the cryptography. */
export interface TokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: readonly string[];
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly exp: number;
  readonly uid: string;
  /** Identity of this token. */
  readonly jti: string;
  readonly namespace: string;
  readonly name: string;
  readonly bound?: { readonly kind: string; readonly name: string; readonly uid: string };
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function encode(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i += 3) {
    const word = (text.charCodeAt(i) << 16) | ((text.charCodeAt(i + 1) || 0) << 8) | (text.charCodeAt(i + 2) || 0);
    const count = Math.min(3, text.length - i);
    for (let j = 0; j <= count; j++) out += alphabet.charAt((word >> (18 - 6 * j)) & 63);
  }
  return out;
}

function decode(text: string): string {
  let out = '';
  let word = 0;
  let bits = 0;
  for (const c of text) {
    word = ((word << 6) | alphabet.indexOf(c)) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += String.fromCharCode((word >> bits) & 255);
    }
  }
  return out;
}

/** Stands for the signature: changes with every bit of the text, and only the simulation checks it. */
function seal(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193) >>> 0;
    b = Math.imul(b ^ text.charCodeAt(i), 0x85ebca6b) >>> 0;
  }
  return `${a.toString(16).padStart(8, '0')}${b.toString(16).padStart(8, '0')}`;
}

const header = encode('{"alg":"RS256","kid":"seatrial"}');

/** A token in the shape of a JWT. */
export function issueToken(claims: TokenClaims): string {
  const body = `${header}.${encode(JSON.stringify(claims))}`;
  return `${body}.${seal(body)}`;
}

/** The claims of a token that this cluster issued; undefined for any other text. Expiry and bound objects are the authenticator's to check. */
export function readToken(text: string): TokenClaims | undefined {
  const parts = text.split('.');
  if (parts.length !== 3 || parts[2] !== seal(`${parts[0]}.${parts[1]}`)) return undefined;
  return JSON.parse(decode(parts[1] ?? '')) as TokenClaims;
}
