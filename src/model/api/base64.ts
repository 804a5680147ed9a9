/** Base64 of UTF-8 text, without Buffer or btoa: the model runs on any engine. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const values = new Map([...alphabet].map((c, i) => [c, i]));
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function base64Encode(text: string): string {
  return base64EncodeBytes(encoder.encode(text));
}

export function base64EncodeBytes(bytes: Uint8Array): string {
  let result = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    result += alphabet.charAt(word >> 18) + alphabet.charAt((word >> 12) & 63);
    result += left > 1 ? alphabet.charAt((word >> 6) & 63) : '=';
    result += left > 2 ? alphabet.charAt(word & 63) : '=';
  }
  return result;
}

/** The text of valid base64 (the decoder has refused all other). */
export function base64Decode(text: string): string {
  const clean = text.replace(/=+$/, '');
  const bytes = new Uint8Array(Math.floor((clean.length * 3) / 4));
  let at = 0;
  let word = 0;
  let bits = 0;
  for (const c of clean) {
    word = ((word << 6) | (values.get(c) ?? 0)) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (word >> bits) & 255;
    }
  }
  return decoder.decode(bytes);
}
