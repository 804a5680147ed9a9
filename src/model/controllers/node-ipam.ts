import type { Node } from '../api/types.ts';
import type { EventRecorder } from '../client/events.ts';
import type { Informer } from '../client/informer.ts';
import { NODES } from '../client/resources.ts';
import { isNotFound } from '../client/result.ts';
import { type ReconcileError, runWorkers, WorkQueue } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import type { ControllerContext, ControllerRow } from './context.ts';

/** Gives each node a range of pod addresses out of the cluster's: pkg/controller/nodeipam, range allocator. */
export const nodeIpamController: ControllerRow = {
  name: 'node-ipam-controller',
  start: (context) => {
    if (context.config.allocateNodeCidrs) new NodeIpam(context).start();
  },
};

class NodeIpam {
  readonly #context: ControllerContext;
  readonly #nodes: Informer<Node>;
  readonly #recorder: EventRecorder;
  readonly #queue: WorkQueue;
  readonly #ranges: CidrSet;
  /** Ranges handed out, whose nodes may not show them in the informer yet. */
  readonly #assigned = new Map<string, string>();

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#nodes = context.informer(NODES);
    this.#recorder = context.recorder('cidrAllocator');
    this.#queue = new WorkQueue(context.process);
    this.#ranges = new CidrSet(context.config.clusterCidr, context.config.nodeCidrMaskSize);
  }

  start(): void {
    this.#nodes.addHandler({
      onAdd: (node) => this.#seen(node),
      onUpdate: (_, node) => this.#seen(node),
      onDelete: (node) => {
        const cidr = node.spec?.podCIDR ?? this.#assigned.get(node.metadata.name ?? '');
        this.#assigned.delete(node.metadata.name ?? '');
        if (cidr !== undefined) this.#ranges.release(cidr);
      },
    });
    // Existing ranges are all occupied before the first new one is handed out.
    this.#context.whenSynced([this.#nodes], () => {
      runWorkers(this.#context.process, 'node-ipam', this.#queue, 30, (name) => this.#sync(name));
    });
  }

  #seen(node: Node): void {
    const cidr = node.spec?.podCIDR;
    if (cidr === undefined) this.#queue.add(node.metadata.name ?? '');
    else this.#ranges.occupy(cidr);
  }

  *#sync(name: string): Task<ReconcileError> {
    const node = this.#nodes.get(name);
    if (node === undefined || node.spec?.podCIDR !== undefined) return undefined;
    const cidr = this.#assigned.get(name) ?? this.#ranges.allocate();
    if (cidr === undefined) {
      this.#recorder.event(node, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`);
      return {
        message: `failed to allocate cidr from cluster cidr: CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range`,
      };
    }
    this.#assigned.set(name, cidr);
    const patched = yield* this.#context.client.resource(NODES).patch('', name, 'strategic', { spec: { podCIDR: cidr, podCIDRs: [cidr] } });
    if (patched.ok) return undefined;
    if (isNotFound(patched)) {
      this.#assigned.delete(name);
      this.#ranges.release(cidr);
      return undefined;
    }
    return patched;
  }
}

/** Ranges of one size inside a larger one, handed out round robin: pkg/controller/nodeipam/ipam/cidrset. */
class CidrSet {
  readonly #base: number;
  readonly #size: number;
  readonly #mask: number;
  readonly #count: number;
  readonly #used = new Set<number>();
  #next = 0;

  constructor(cidr: string, mask: number) {
    const [address = '', length = '16'] = cidr.split('/');
    this.#base = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    this.#mask = mask;
    this.#size = 2 ** (32 - mask);
    this.#count = 2 ** (mask - Number(length));
  }

  allocate(): string | undefined {
    if (this.#used.size >= this.#count) return undefined;
    while (this.#used.has(this.#next)) this.#next = (this.#next + 1) % this.#count;
    const index = this.#next;
    this.#used.add(index);
    this.#next = (index + 1) % this.#count;
    const n = this.#base + index * this.#size;
    return `${Math.floor(n / 2 ** 24)}.${Math.floor(n / 2 ** 16) % 256}.${Math.floor(n / 256) % 256}.${n % 256}/${this.#mask}`;
  }

  occupy(cidr: string): void {
    const index = this.#indexOf(cidr);
    if (index !== undefined) this.#used.add(index);
  }

  release(cidr: string): void {
    const index = this.#indexOf(cidr);
    if (index !== undefined) this.#used.delete(index);
  }

  #indexOf(cidr: string): number | undefined {
    const n = (cidr.split('/')[0] ?? '').split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    const index = Math.floor((n - this.#base) / this.#size);
    return index >= 0 && index < this.#count ? index : undefined;
  }
}
