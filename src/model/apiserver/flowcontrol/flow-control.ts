import type { ApiRequest } from '../../api/request.ts';
import { DroppedRequests } from './dropped-requests.ts';
import { type FlowConfig, flowConfig, type LevelConfig } from './flow-config.ts';
import { type FlowRules, flowOf } from './flow-rules.ts';
import { QueueSet, type Ticket } from './queue-set.ts';
import { divideSeats } from './seat-allocation.ts';
import { SeatDemand } from './seat-demand.ts';
import { dealHand } from './shuffle-shard.ts';

/** Upstream borrowingAdjustmentPeriod. */
const BORROWING_PERIOD_US = 10_000_000;
/** Nothing happened for so long that more periods change nothing worth computing. */
const PERIODS_MAX = 32;
/** Entries of the memo by user, verb and resource, of which a thousand nodes have some twelve each; a real server has no memo. */
const MEMO_MAX = 65_536;

export interface FlowControlOptions {
  /** --max-requests-inflight plus --max-mutating-requests-inflight. */
  readonly seats: number;
  /** Microseconds of a clock that does not jump. */
  readonly now: () => number;
  readonly setTimer: (delayUs: number, callback: () => void) => () => void;
  /** Longest wait in a queue: a quarter of --request-timeout. */
  readonly waitUsMax: number;
}

/** What happens to a request: exactly one of both, now or later. */
export interface FlowHandlers {
  /** It has its seats until `release` is called. */
  readonly run: (release: () => void) => void;
  readonly reject: (retryAfterSeconds: number) => void;
}

class Level {
  readonly queues: QueueSet;
  readonly demand: SeatDemand;
  readonly dropped = new DroppedRequests();
  config: LevelConfig;
  nominal = 0;
  minimum = 0;
  maximum = 0;

  constructor(config: LevelConfig, seats: number, now: () => number) {
    this.config = config;
    this.queues = new QueueSet(seats, config.queuing, now);
    this.demand = new SeatDemand(now());
  }
}

interface Flow {
  readonly level: Level;
  readonly hand: readonly number[];
}

/**
 * API priority and fairness of one API server: upstream `util/flowcontrol`. A request is matched to a FlowSchema, which leads to a priority
 * level with seats of its own, and waits there with those of its flow; levels lend what they do not use. Nothing here runs by itself while
 * no request waits: the lending is brought up to date when the next request comes.
 */
export class FlowControl {
  readonly #options: FlowControlOptions;
  readonly #levels = new Map<string, Level>();
  #config: FlowConfig;
  #memo = new Map<string, Flow>();
  #adjustedUs: number;
  #timer: (() => void) | undefined;

  constructor(options: FlowControlOptions) {
    this.#options = options;
    this.#adjustedUs = options.now();
    this.#config = flowConfig([], []);
    this.configure(this.#config);
  }

  /** Takes the configuration objects as they are now. */
  configure(config: FlowConfig): void {
    this.#config = config;
    this.#memo = new Map();
    for (const name of [...this.#levels.keys()]) if (!config.levels.has(name)) this.#levels.delete(name);
    let shares = 0;
    for (const level of config.levels.values()) shares += level.shares;
    const { seats, now } = this.#options;
    for (const wanted of config.levels.values()) {
      const nominal = shares === 0 ? 0 : Math.ceil((seats * wanted.shares) / shares);
      let level = this.#levels.get(wanted.name);
      if (level === undefined) {
        level = new Level(wanted, nominal, now);
        this.#levels.set(wanted.name, level);
      } else level.queues.configure(wanted.queuing);
      level.config = wanted;
      level.nominal = nominal;
      level.minimum = nominal - Math.round((nominal * wanted.lendablePercent) / 100);
      level.maximum =
        wanted.borrowingLimitPercent === undefined ? seats : nominal + Math.round((nominal * wanted.borrowingLimitPercent) / 100);
    }
    this.#divide();
  }

  /** Current seats of a level, for tests and reports. */
  seatsOf(level: string): { readonly nominal: number; readonly inUse: number; readonly waiting: number } | undefined {
    const found = this.#levels.get(level);
    return found === undefined ? undefined : { nominal: found.nominal, inUse: found.queues.seatsInUse, waiting: found.queues.waiting };
  }

  /** Which level a request goes to, and the most seats that a single request may take there. */
  levelOf(request: ApiRequest): { readonly name: string; readonly isExempt: boolean; readonly seatsMax: number } {
    const { level } = this.#flow(request);
    // Upstream maxSeatsFunc: one request takes at most 15 % of a level.
    return { name: level.config.name, isExempt: level.config.isExempt, seatsMax: Math.max(1, Math.ceil(level.nominal * 0.15)) };
  }

  /** Runs the request now or later, or rejects it. The answer gives it up while it waits. */
  handle(request: ApiRequest, seats: number, handlers: FlowHandlers): () => void {
    const { level, hand } = this.#flow(request);
    const { now, setTimer, waitUsMax } = this.#options;
    if (now() - this.#adjustedUs >= BORROWING_PERIOD_US) this.#adjust();
    level.demand.change(seats, now());
    if (level.config.isExempt) {
      handlers.run(() => level.demand.change(-seats, now()));
      return () => {};
    }
    let cancelTimer: (() => void) | undefined;
    const ticket: Ticket = {
      seats,
      queue: undefined,
      startedUs: -1,
      run: () => {
        cancelTimer?.();
        handlers.run(() => {
          level.demand.change(-seats, now());
          level.queues.finish(ticket);
        });
      },
    };
    const admission = level.queues.admit(ticket, hand);
    if (admission === 'runs') return () => {};
    if (admission === 'waits') {
      cancelTimer = setTimer(waitUsMax, () => {
        if (!level.queues.cancel(ticket)) return;
        level.demand.change(-seats, now());
        handlers.reject(level.dropped.drop(now()));
      });
      this.#adjustLater();
      return () => {
        cancelTimer?.();
        if (level.queues.cancel(ticket)) level.demand.change(-seats, now());
      };
    }
    level.demand.change(-seats, now());
    handlers.reject(level.dropped.drop(now()));
    return () => {};
  }

  #flow(request: ApiRequest): Flow {
    const { user, verb, group, resource, subresource = '', namespace = '' } = request;
    // Groups belong to the user: one name never comes with two sets of them.
    const key = `${user.name} ${verb} ${group}/${resource}/${subresource} ${namespace}`;
    const known = this.#memo.get(key);
    if (known !== undefined) return known;
    const schema = this.#config.schemas.find((one) => one.matches(request)) as FlowRules;
    const level = this.#levels.get(schema.level) as Level;
    const { queuing } = level.config;
    const hand = queuing === undefined ? [] : dealHand(schema.name, flowOf(schema, request), queuing.queues, queuing.handSize);
    const flow = { level, hand };
    if (this.#memo.size >= MEMO_MAX) this.#memo.clear();
    this.#memo.set(key, flow);
    return flow;
  }

  /** While anybody waits the seats are divided anew every ten seconds. */
  #adjustLater(): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#options.setTimer(BORROWING_PERIOD_US, () => {
      this.#timer = undefined;
      this.#adjust();
      for (const level of this.#levels.values()) if (level.queues.waiting > 0) this.#adjustLater();
    });
  }

  #adjust(): void {
    const now = this.#options.now();
    const periods = Math.min(PERIODS_MAX, Math.floor((now - this.#adjustedUs) / BORROWING_PERIOD_US));
    if (periods === 0) return;
    const from = now - (periods - 1) * BORROWING_PERIOD_US;
    // The first period holds all that happened since; in those after it demand stood still.
    for (let i = 0; i < periods; i++) for (const level of this.#levels.values()) level.demand.endPeriod(from + i * BORROWING_PERIOD_US);
    this.#adjustedUs = now;
    this.#divide();
  }

  /** Upstream updateBorrowing: who needs more than is left to it borrows what others need not. */
  #divide(): void {
    const levels = [...this.#levels.values()].sort((a, b) => (a.config.name < b.config.name ? -1 : 1));
    let total = 0;
    let low = 0;
    const claims: { readonly level: Level; readonly target: number; readonly low: number; readonly high: number }[] = [];
    for (const level of levels) {
      total += level.nominal;
      const { high, smooth } = level.demand;
      const kept = Math.max(level.minimum, Math.min(level.nominal, high));
      if (level.config.isExempt) total -= kept;
      else {
        claims.push({ level, target: Math.max(kept, smooth), low: kept, high: Math.max(kept, level.maximum) });
        low += kept;
      }
    }
    const seats = low >= total ? claims.map((claim) => claim.low) : divideSeats(total, claims);
    claims.forEach(({ level }, i) => level.queues.setLimit(Math.max(1, Math.round(seats[i] ?? 1))));
  }
}
