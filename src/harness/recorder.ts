import { allFactChannels, type Facts, type FactValue } from '../model/facts.ts';
import type { Micros } from '../sim/time.ts';
import type { DropReason, KernelRecorder } from '../sim/trace.ts';

/** A message as it was seen on the wire. `deliveredAtUs` and `drop` both absent: still under way at the end. */
export interface TraceMessage {
  readonly id: number;
  readonly sentAtUs: Micros;
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly payload: unknown;
  deliveredAtUs: Micros | undefined;
  drop: { readonly atUs: Micros; readonly reason: DropReason } | undefined;
}

/** A fact with its time; arguments in the order of the channel's fields. */
export interface TraceFact {
  readonly atUs: Micros;
  readonly channel: string;
  readonly fields: readonly string[];
  readonly args: readonly FactValue[];
}

/** Something that happened to a process or a disk. */
export interface TraceNote {
  readonly atUs: Micros;
  readonly host: string;
  readonly process: string;
  readonly what: string;
  readonly detail: string;
}

/** Everything a report is made from. */
export interface Trace {
  readonly messages: readonly TraceMessage[];
  readonly facts: readonly TraceFact[];
  readonly notes: readonly TraceNote[];
  /** Messages that were not kept because there were too many. */
  readonly messagesOmitted: number;
}

const MESSAGES_MAX = 400_000;
const FACTS_MAX = 400_000;

/** Records a run for its report. Has no influence on it: the digest is the same with and without. */
export class Recorder implements KernelRecorder {
  readonly #messages = new Map<number, TraceMessage>();
  readonly #facts: TraceFact[] = [];
  readonly #notes: TraceNote[] = [];
  #omitted = 0;

  /** Listens to every channel of facts. */
  tap(facts: Facts, clock: { readonly now: Micros }): void {
    for (const channel of allFactChannels(facts)) {
      channel.subscribe((...args) => {
        if (this.#facts.length < FACTS_MAX) this.#facts.push({ atUs: clock.now, channel: channel.name, fields: channel.fields, args });
      });
    }
  }

  sent(id: number, at: Micros, from: string, to: string, kind: string, payload: unknown): void {
    if (this.#messages.size >= MESSAGES_MAX) {
      this.#omitted++;
      return;
    }
    this.#messages.set(id, { id, sentAtUs: at, from, to, kind, payload, deliveredAtUs: undefined, drop: undefined });
  }

  delivered(id: number, at: Micros): void {
    const message = this.#messages.get(id);
    if (message !== undefined) message.deliveredAtUs ??= at;
  }

  dropped(id: number, at: Micros, reason: DropReason): void {
    const message = this.#messages.get(id);
    if (message !== undefined && message.deliveredAtUs === undefined) message.drop = { atUs: at, reason };
  }

  process(at: Micros, host: string, name: string, what: string, detail: string): void {
    this.#notes.push({ atUs: at, host, process: name, what, detail });
  }

  disk(at: Micros, host: string, what: string, detail: string): void {
    this.#notes.push({ atUs: at, host, process: '', what, detail });
  }

  trace(): Trace {
    return { messages: [...this.#messages.values()], facts: this.#facts, notes: this.#notes, messagesOmitted: this.#omitted };
  }
}
