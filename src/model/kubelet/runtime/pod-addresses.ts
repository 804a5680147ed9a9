/** Pod addresses of one node: the CNI plugin host-local, which hands out the range round robin and skips what is in use. */
export class PodAddresses {
  readonly #prefix: number;
  readonly #first: number;
  readonly #last: number;
  readonly #used = new Map<number, string>();
  #next: number;

  /** `cidr`: '10.244.3.0/24'. The network address, the gateway (.1) and the broadcast address are not for pods. */
  constructor(cidr: string) {
    const [address = '', length = '24'] = cidr.split('/');
    const size = 2 ** (32 - Number(length));
    this.#prefix = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    this.#first = this.#prefix + 2;
    this.#last = this.#prefix + size - 2;
    this.#next = this.#first;
  }

  /** Takes the next free address for a sandbox; undefined when all are taken. */
  take(sandbox: string): string | undefined {
    const count = this.#last - this.#first + 1;
    for (let i = 0; i < count; i++) {
      const candidate = this.#next;
      this.#next = candidate === this.#last ? this.#first : candidate + 1;
      if (this.#used.has(candidate)) continue;
      this.#used.set(candidate, sandbox);
      return text(candidate);
    }
    return undefined;
  }

  /** Marks an address as taken: found on the disk. */
  occupy(address: string, sandbox: string): void {
    const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    this.#used.set(number, sandbox);
    this.#next = number >= this.#last ? this.#first : number + 1;
  }

  free(address: string): void {
    this.#used.delete(address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0));
  }
}

function text(number: number): string {
  return [Math.floor(number / 16_777_216), Math.floor(number / 65_536) % 256, Math.floor(number / 256) % 256, number % 256].join('.');
}
