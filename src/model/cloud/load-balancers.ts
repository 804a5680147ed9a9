import type { Process } from '../../sim/process.ts';
import { SECOND, type Micros } from '../../sim/time.ts';
import type { Facts } from '../facts.ts';

/** How long a cloud takes to make a load balancer, and to take one away. */
const MAKE_US: Micros = 8 * SECOND;
const MAKE_SPREAD_US: Micros = 12 * SECOND;
const DELETE_US: Micros = 3 * SECOND;

/** The cloud's load balancers by name, each with its address. Orders are idempotent: a repeated one is answered with what is there. */
export class CloudLoadBalancers {
  readonly #facts: Facts;
  readonly #addresses = new Map<string, string>();
  #made = 0;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** Tells the facts that there is a cloud that makes them. */
  start(): void {
    this.#facts.cloudServes.emit('load-balancers');
  }

  /** `done` is called with the address once the load balancer is there. */
  ensure(process: Process, name: string, done: (address: string) => void): void {
    const known = this.#addresses.get(name);
    if (known !== undefined) return done(known);
    process.after(MAKE_US + process.random.below(MAKE_SPREAD_US), () => {
      const address = this.#addresses.get(name) ?? addressOf(this.#made++);
      if (!this.#addresses.has(name)) {
        this.#addresses.set(name, address);
        this.#facts.loadBalancer.emit(name, address);
      }
      done(address);
    });
  }

  delete(process: Process, name: string, done: () => void): void {
    if (!this.#addresses.has(name)) return done();
    process.after(DELETE_US, () => {
      if (this.#addresses.delete(name)) this.#facts.loadBalancer.emit(name, '');
      done();
    });
  }
}

/** The nth address of the documentation's network and those after it (RFC 5737 has 254). */
function addressOf(n: number): string {
  return `203.0.${113 + Math.floor(n / 254)}.${(n % 254) + 1}`;
}
