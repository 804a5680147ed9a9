import type { Facts } from '../model/facts.ts';
import { CommittedHistory } from './committed-history.ts';
import { MemberLogs } from './member-logs.ts';

/** What several properties rebuild from the facts, built once a trial: at first use, so before any listener of the properties that use it. */
export class SharedViews {
  readonly #facts: Facts;
  #history: CommittedHistory | undefined;
  #logs: MemberLogs | undefined;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** The store's true history. */
  get history(): CommittedHistory {
    this.#history ??= new CommittedHistory(this.#facts);
    return this.#history;
  }

  /** Every member's log. */
  get logs(): MemberLogs {
    this.#logs ??= new MemberLogs(this.#facts);
    return this.#logs;
  }
}
