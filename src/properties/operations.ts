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

/**
 * Pairs invocations with answers. Operations of which no answer is known yet are kept, nothing else: a list, since a client has one at a time,
 * and a Map that is nearly empty rebuilds itself at every other change.
 */
export class Operations {
  readonly #open: Operation[] = [];
  readonly #listeners: ((answer: Answer) => void)[] = [];
  #known = 1;

  constructor(facts: Facts, clock: { readonly now: Micros }) {
    facts.opInvoked.subscribe((op, client, member, kind, key, value) => {
      this.#open.push({ op, client, member, kind, key, value, invokedAtUs: clock.now, knownRevision: this.#known });
    });
    facts.opAnswered.subscribe((op, outcome, revision, modRevision, value) => {
      const operation = this.#close(op);
      if (operation === undefined) return;
      const answer = { operation, outcome, revision, modRevision, value };
      for (const listener of this.#listeners) listener(answer);
      // A serializable read shows old states, but what it shows was committed all the same.
      if (outcome === 'ok' && revision > this.#known) this.#known = revision;
    });
  }

  #close(op: number): Operation | undefined {
    const open = this.#open;
    for (let i = open.length - 1; i >= 0; i--) {
      const operation = open[i] as Operation;
      if (operation.op !== op) continue;
      const last = open.pop() as Operation;
      if (last !== operation) open[i] = last;
      return operation;
    }
    return undefined;
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
