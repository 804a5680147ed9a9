/** SHA-256 (FIPS 180-4) of a text's UTF-8 bytes: names that Kubernetes makes of hashes need it, and the model has no access to crypto. */
export function sha256(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  const blocks = Math.ceil((bytes.length + 9) / 64);
  const padded = new Uint8Array(blocks * 64);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(padded.length - 4, (bytes.length << 3) >>> 0);
  const state = Int32Array.from(initial);
  const words = new Int32Array(64);
  for (let block = 0; block < blocks; block++) {
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(block * 64 + i * 4);
    compress(state, words);
  }
  const out = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => out.setInt32(i * 4, word));
  return new Uint8Array(out.buffer);
}

/** The first 32 bits of the fractional parts of the roots of the first primes: square roots begin, cube roots are the rounds' constants. */
const initial = rootFractions(8, 1 / 2);
const constants = rootFractions(64, 1 / 3);

function rootFractions(count: number, power: number): Int32Array {
  const found = new Int32Array(count);
  let n = 2;
  for (let i = 0; i < count; n++) {
    let isPrime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) isPrime = false;
    if (!isPrime) continue;
    const root = power === 1 / 2 ? Math.sqrt(n) : cubeRoot(n);
    found[i++] = Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
  }
  return found;
}

/** By Newton's steps: engines may differ in Math.cbrt's last bit. */
function cubeRoot(n: number): number {
  let root = n;
  for (let i = 0; i < 60; i++) root = (2 * root + n / (root * root)) / 3;
  return root;
}

function rotated(x: number, by: number): number {
  return (x >>> by) | (x << (32 - by));
}

function compress(state: Int32Array, w: Int32Array): void {
  const word = (i: number): number => w[i] as number;
  for (let i = 16; i < 64; i++) {
    const s0 = rotated(word(i - 15), 7) ^ rotated(word(i - 15), 18) ^ (word(i - 15) >>> 3);
    const s1 = rotated(word(i - 2), 17) ^ rotated(word(i - 2), 19) ^ (word(i - 2) >>> 10);
    w[i] = (word(i - 16) + s0 + word(i - 7) + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const t1 = (h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) + (constants[i] as number) + word(i)) | 0;
    const t2 = ((rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((value, i) => {
    state[i] = (state[i] as number) + value;
  });
}
