import { finalize32, mixWord } from './mix.ts';
import { type Micros, SECOND } from './time.ts';

/** The digest after all events before a virtual second: two runs are bisected to their first difference with these. */
export interface DigestCheckpoint {
  readonly atUs: Micros;
  readonly events: number;
  readonly digest: string;
}

const CHECKPOINTS_MAX = 2048;

/**
 * Fingerprint of a run: two 32-bit lanes over (time, host, kind, scalar) of every event, in order.
 * Always on, so it costs a handful of integer operations an event. Same input, same digest, on every machine.
 */
export class Digest {
  #a = 0x9e3779b9 | 0;
  #b = 0x7f4a7c15 | 0;
  #events = 0;
  #nextCheckpoint = SECOND;
  #stride = SECOND;
  #checkpoints: DigestCheckpoint[] = [];

  /** Folds one event. Call with non-decreasing `at`. */
  event(at: Micros, host: number, kind: number, scalar: number): void {
    if (at >= this.#nextCheckpoint) this.#checkpoint(at);
    this.#events++;
    // Splitting `at` keeps 53 bits: the low word and what lies above it.
    const low = at | 0;
    const word = low ^ Math.imul(host + 1, 0x9e3779b1) ^ (kind << 24) ^ ((at / 4294967296) | 0);
    this.#a = mixWord(this.#a, word);
    this.#b = mixWord(this.#b ^ low, scalar | 0);
  }

  /** Folds a scalar that is not an event of its own (a content hash, a revision). */
  fold(scalar: number): void {
    this.#b = mixWord(this.#b, scalar | 0);
  }

  get events(): number {
    return this.#events;
  }

  /** 16 hexadecimal digits. */
  value(): string {
    return hex(finalize32(this.#a ^ this.#events)) + hex(finalize32(this.#b));
  }

  /** Checkpoints in order of time; their spacing doubles when a run is long, so memory stays flat. */
  checkpoints(): readonly DigestCheckpoint[] {
    return this.#checkpoints;
  }

  #checkpoint(at: Micros): void {
    this.#checkpoints.push({ atUs: this.#nextCheckpoint, events: this.#events, digest: this.value() });
    if (this.#checkpoints.length >= CHECKPOINTS_MAX) {
      this.#stride *= 2;
      this.#checkpoints = this.#checkpoints.filter((c) => c.atUs % this.#stride === 0);
    }
    this.#nextCheckpoint = (Math.floor(at / this.#stride) + 1) * this.#stride;
  }
}

function hex(word: number): string {
  return word.toString(16).padStart(8, '0');
}
