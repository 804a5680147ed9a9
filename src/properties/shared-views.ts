import type { Facts } from '../model/facts.ts';
import type { Micros } from '../sim/time.ts';
import { CommittedHistory } from './committed-history.ts';
import { MemberLogs } from './member-logs.ts';
import { Operations } from './operations.ts';
import { WatchGaps } from './watch-gaps.ts';
import { Watches } from './watches.ts';

/** What several properties rebuild from the facts, built once a trial: at first use, so before any listener of the properties that use it. */
export class SharedViews {
  readonly #facts: Facts;
  readonly #clock: { readonly now: Micros };
  #history: CommittedHistory | undefined;
  #logs: MemberLogs | undefined;
  #operations: Operations | undefined;
  #watches: Watches | undefined;
  #watchGaps: WatchGaps | undefined;

  constructor(facts: Facts, clock: { readonly now: Micros }) {
    this.#facts = facts;
    this.#clock = clock;
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

  /** Operations of etcd's clients with their answers. */
  get operations(): Operations {
    this.#operations ??= new Operations(this.#facts, this.#clock);
    return this.#operations;
  }

  /** Open watches. */
  get watches(): Watches {
    this.#watches ??= new Watches(this.#facts);
    return this.#watches;
  }

  /** What watches left out. */
  get watchGaps(): WatchGaps {
    this.#watchGaps ??= new WatchGaps(this.#facts, this.#clock, this.history, this.watches);
    return this.#watchGaps;
  }
}
