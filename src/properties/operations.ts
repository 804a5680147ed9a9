import type { Facts } from '../model/facts.ts';
import type { Micros } from '../sim/time.ts';

/** An etcd client's operation from its invocation on. */
export interface Operation {
  readonly op: number;
  readonly client: string;
  readonly member: string;
  readonly kind: string;
  readonly key: string;
  readonly value: number;
  readonly invokedAtUs: Micros;
  /** Highest revision that any answered operation had shown when this one was invoked: a linearizable one may not fall behind it. */
  readonly knownRevision: number;
}

export interface Answer {
  readonly operation: Operation;
  readonly outcome: string;
  readonly revision: number;
  readonly modRevision: number;
  readonly value: number;
}

/** Pairs invocations with answers. Operations of which no answer is known yet are kept, nothing else. */
export class Operations {
  readonly #open = new Map<number, Operation>();
  readonly #listeners: ((answer: Answer) => void)[] = [];
  #known = 1;

  constructor(facts: Facts, clock: { readonly now: Micros }) {
    facts.opInvoked.subscribe((op, client, member, kind, key, value) => {
      this.#open.set(op, { op, client, member, kind, key, value, invokedAtUs: clock.now, knownRevision: this.#known });
    });
    facts.opAnswered.subscribe((op, outcome, revision, modRevision, value) => {
      const operation = this.#open.get(op);
      if (operation === undefined) return;
      this.#open.delete(op);
      const answer = { operation, outcome, revision, modRevision, value };
      for (const listener of this.#listeners) listener(answer);
      // A serializable read shows old states, but what it shows was committed all the same.
      if (outcome === 'ok' && revision > this.#known) this.#known = revision;
    });
  }

  /** Hears of every answer from now on. */
  onAnswer(listener: (answer: Answer) => void): void {
    this.#listeners.push(listener);
  }
}

/** True for kinds that change the store. */
export function isWrite(kind: string): boolean {
  return kind === 'put' || kind === 'delete' || kind === 'txn';
}
