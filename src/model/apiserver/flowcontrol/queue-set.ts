import type { Queuing } from './flow-config.ts';

/** What a request's service is taken to last before it has been seen: upstream estimatedServiceDuration. */
const SERVICE_GUESS_US = 3_000;

/** A request at a level: how wide it is, and what to do when it may run. */
export interface Ticket {
  readonly seats: number;
  readonly run: () => void;
  /** Set by the queue set. */
  queue: Queue | undefined;
  startedUs: number;
}

interface Queue {
  readonly waiting: Ticket[];
  waitingSeats: number;
  runningSeats: number;
  running: number;
  /** Virtual time at which its next request would begin if queues took turns seat by seat. */
  nextDispatchR: number;
}

function newQueue(): Queue {
  return { waiting: [], waitingSeats: 0, runningSeats: 0, running: 0, nextDispatchR: 0 };
}

export type Admission = 'runs' | 'waits' | 'queue-full' | 'concurrency-limit';

/**
 * The seats of one level and the queues in front of them: upstream `fairqueuing/queueset`. A request goes to the queue of its hand with the
 * least work; the next to run is the one whose virtual finish is first, where virtual time grows as if every busy queue were served at once.
 */
export class QueueSet {
  #limit: number;
  #queuing: Queuing | undefined;
  #queues: Queue[] = [];
  #robin = 0;
  #seatsInUse = 0;
  #running = 0;
  #waiting = 0;
  #waitingSeats = 0;
  /** Queues with anything waiting or running. */
  #active = 0;
  #currentR = 0;
  #lastUs = 0;
  readonly #now: () => number;

  constructor(limit: number, queuing: Queuing | undefined, now: () => number) {
    this.#limit = limit;
    this.#now = now;
    this.#lastUs = now();
    this.configure(queuing);
  }

  get waiting(): number {
    return this.#waiting;
  }

  get seatsInUse(): number {
    return this.#seatsInUse;
  }

  get isIdle(): boolean {
    return this.#waiting === 0 && this.#running === 0;
  }

  /** Other queues from now on; those that wait in one too many are still served. */
  configure(queuing: Queuing | undefined): void {
    this.#queuing = queuing;
    while (this.#queues.length < (queuing?.queues ?? 0)) this.#queues.push(newQueue());
  }

  setLimit(limit: number): void {
    this.#sync();
    this.#limit = limit;
    this.#dispatch();
  }

  /** Takes a request in. 'runs' means that `run` has been called. `hand` are the queues that its flow may use. */
  admit(ticket: Ticket, hand: readonly number[]): Admission {
    this.#sync();
    if (this.#queuing === undefined) {
      if (!this.#fits(ticket.seats)) return 'concurrency-limit';
      this.#start(ticket);
      return 'runs';
    }
    const queue = this.#shortest(hand);
    if (queue.waiting.length >= this.#queuing.queueLengthLimit) return 'queue-full';
    if (queue.waiting.length === 0 && queue.running === 0) {
      queue.nextDispatchR = this.#currentR;
      this.#active++;
    }
    ticket.queue = queue;
    queue.waiting.push(ticket);
    queue.waitingSeats += ticket.seats;
    this.#waiting++;
    this.#waitingSeats += ticket.seats;
    this.#dispatch();
    return ticket.startedUs >= 0 ? 'runs' : 'waits';
  }

  /** Takes back a request that has not run. False: it runs already. */
  cancel(ticket: Ticket): boolean {
    const { queue } = ticket;
    const at = ticket.startedUs < 0 && queue !== undefined ? queue.waiting.indexOf(ticket) : -1;
    if (queue === undefined || at < 0) return false;
    this.#sync();
    queue.waiting.splice(at, 1);
    this.#noLongerWaits(queue, ticket);
    this.#settle(queue);
    return true;
  }

  /** A request has run: its seats are free, and its queue is charged what it really took. */
  finish(ticket: Ticket): void {
    this.#sync();
    this.#seatsInUse -= ticket.seats;
    this.#running--;
    const { queue } = ticket;
    if (queue !== undefined) {
      queue.running--;
      queue.runningSeats -= ticket.seats;
      queue.nextDispatchR -= ticket.seats * (SERVICE_GUESS_US - (this.#now() - ticket.startedUs));
      this.#settle(queue);
    }
    this.#dispatch();
  }

  #settle(queue: Queue): void {
    if (queue.running === 0 && queue.waiting.length === 0) this.#active--;
  }

  #noLongerWaits(queue: Queue, ticket: Ticket): void {
    queue.waitingSeats -= ticket.seats;
    this.#waiting--;
    this.#waitingSeats -= ticket.seats;
  }

  /** Brings virtual time up to now. */
  #sync(): void {
    const now = this.#now();
    if (this.#active > 0) {
      const wanted = Math.min(this.#seatsInUse + this.#waitingSeats, this.#limit);
      this.#currentR += ((now - this.#lastUs) * wanted) / this.#active;
    }
    this.#lastUs = now;
  }

  #fits(seats: number): boolean {
    // What is wider than all seats together runs when it is alone.
    return seats > this.#limit ? this.#running === 0 : this.#seatsInUse + seats <= this.#limit;
  }

  #shortest(hand: readonly number[]): Queue {
    let best: Queue | undefined;
    let bestWork = Number.POSITIVE_INFINITY;
    for (const index of hand) {
      const queue = this.#queues[index] as Queue;
      const work = queue.waitingSeats + queue.runningSeats;
      if (work < bestWork) {
        best = queue;
        bestWork = work;
      }
    }
    return best as Queue;
  }

  #start(ticket: Ticket): void {
    ticket.startedUs = this.#now();
    this.#seatsInUse += ticket.seats;
    this.#running++;
    ticket.run();
  }

  /** Runs what fits, in the order of virtual finishes. */
  #dispatch(): void {
    while (this.#waiting > 0) {
      const index = this.#next();
      const queue = this.#queues[index] as Queue;
      const ticket = queue.waiting[0] as Ticket;
      if (!this.#fits(ticket.seats)) return;
      this.#robin = index;
      queue.waiting.shift();
      this.#noLongerWaits(queue, ticket);
      queue.running++;
      queue.runningSeats += ticket.seats;
      queue.nextDispatchR += ticket.seats * SERVICE_GUESS_US;
      this.#start(ticket);
    }
  }

  /** The queue whose oldest request would finish first in virtual time; of equal ones the next in turn. */
  #next(): number {
    const count = this.#queues.length;
    let best = -1;
    let bestFinish = Number.POSITIVE_INFINITY;
    for (let i = 1; i <= count; i++) {
      const index = (this.#robin + i) % count;
      const queue = this.#queues[index] as Queue;
      const ticket = queue.waiting[0];
      if (ticket === undefined) continue;
      const finish = queue.nextDispatchR + ticket.seats * SERVICE_GUESS_US;
      if (finish < bestFinish) {
        best = index;
        bestFinish = finish;
      }
    }
    return best;
  }
}
