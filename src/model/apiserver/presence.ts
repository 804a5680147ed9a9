import type { Process } from '../../sim/process.ts';
import type { Task } from '../../sim/task.ts';
import { SECOND } from '../../sim/time.ts';
import type { UntypedObject } from '../api/object.ts';
import type { ApiRequest, ApiResponse } from '../api/request.ts';
import { sha256 } from '../api/sha256.ts';
import { formatMicroTime } from '../api/time.ts';
import { newUid } from '../api/names.ts';
import type { EndpointSlice, Lease } from '../api/types.ts';
import type { ApiServerCore } from './core.ts';
import { StoredObject } from './stored-object.ts';

/** What the presence of API servers needs of etcd: a key that lives as long as its server says so. */
export interface PresenceStore {
  /** Puts the key under a lease of so many seconds, or keeps that lease alive. False: etcd did not take it. */
  readonly announce: (key: string, value: StoredObject, ttlSeconds: number) => Task<boolean>;
}

/** Upstream DefaultEndpointReconcilerInterval and Ttl. */
const RECONCILE_US = 10 * SECOND;
const MASTER_LEASE_SECONDS = 15;
/** Upstream IdentityLeaseDurationSeconds and IdentityLeaseRenewIntervalSeconds. */
const IDENTITY_SECONDS = 3600;
const IDENTITY_RENEW_US = 10 * SECOND;

const MASTER_LEASES = '/registry/masterleases/';
const USER = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };

export interface PresenceOptions {
  readonly process: Process;
  readonly core: ApiServerCore;
  readonly store: PresenceStore;
  /** Address that clients inside of the cluster are given. */
  readonly address: string;
  readonly port: number;
}

/**
 * How API servers tell that they are there: the identity Lease of each (upstream `controlplane/controller/apiserverleasegc` and its
 * counterpart), and the endpoints of the service kubernetes, which hold exactly the servers whose master lease lives (upstream
 * `reconcilers/lease.go`). A server that dies is taken out by the others when its lease has run out; one that ends takes itself out.
 *
 * Upstream writes a master lease anew, with a new etcd lease, every ten seconds; here the etcd lease is kept alive instead, which costs no raft entry
 * and runs out as soon.
 */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #identity: string;
  readonly #holder: string;
  #lease: Lease | undefined;

  constructor(options: PresenceOptions) {
    this.#options = options;
    const { process } = options;
    this.#identity = `apiserver-${identityOf(process.host.name)}`;
    this.#holder = `${this.#identity}_${newUid(() => process.random.u32())}`;
  }

  start(): void {
    this.#options.process.spawn('identity', this.#renewIdentity());
    this.#options.process.spawn('endpoints', this.#reconcile());
  }

  *#renewIdentity(): Task<void> {
    const { process } = this.#options;
    for (;;) {
      if (!(yield* this.#writeIdentity())) {
        this.#lease = undefined;
        yield* process.sleep(SECOND);
        continue;
      }
      yield* process.sleep(IDENTITY_RENEW_US);
    }
  }

  /** Renews what it wrote last; only where that fails it looks what is there. */
  *#writeIdentity(): Task<boolean> {
    const { process } = this.#options;
    const at = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases', namespace: 'kube-system' };
    let known = this.#lease;
    if (known === undefined) {
      const read = yield* this.#call({ ...at, verb: 'get', name: this.#identity });
      if (read.code === 200) known = read.object as Lease;
      else if (read.code !== 404) return false;
    }
    const labels = { 'apiserver.kubernetes.io/identity': 'kube-apiserver', 'kubernetes.io/hostname': process.host.name };
    const spec = { holderIdentity: this.#holder, leaseDurationSeconds: IDENTITY_SECONDS, renewTime: formatMicroTime(process.wall()) };
    const metadata = known?.metadata ?? { name: this.#identity, namespace: 'kube-system', labels };
    const object = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec } as unknown as UntypedObject;
    const answer =
      known === undefined
        ? yield* this.#call({ ...at, verb: 'create', object })
        : yield* this.#call({ ...at, verb: 'update', name: this.#identity, object });
    if (answer.code >= 300) return false;
    this.#lease = answer.object as Lease;
    return true;
  }

  *#reconcile(): Task<void> {
    const { process, store, address } = this.#options;
    const value = new StoredObject({ apiVersion: 'v1', kind: 'MasterLease', metadata: {}, ip: address } as unknown as UntypedObject);
    for (;;) {
      if (yield* store.announce(MASTER_LEASES + address, value, MASTER_LEASE_SECONDS)) yield* this.#writeEndpoints();
      yield* process.sleep(RECONCILE_US);
    }
  }

  /** Makes the endpoints what the master leases are, if they are not. */
  *#writeEndpoints(): Task<void> {
    const { core } = this.#options;
    const answer = yield* core.storage.list(MASTER_LEASES);
    if ('failure' in answer || answer.entries.length === 0) return;
    const addresses = answer.entries.map(({ key }) => key.slice(MASTER_LEASES.length)).sort();
    const { port } = this.#options;
    yield* this.#put('', 'v1', 'endpoints', {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: [{ addresses: addresses.map((ip) => ({ ip })), ports: [{ name: 'https', port, protocol: 'TCP' }] }],
    });
    yield* this.#put('discovery.k8s.io', 'v1', 'endpointslices', {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      addressType: 'IPv4',
      endpoints: addresses.map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
      ports: [{ name: 'https', port, protocol: 'TCP' }],
    });
  }

  /** An update that changes nothing writes nothing: that is the server's own rule. */
  *#put(group: string, version: string, resource: string, wanted: object): Task<void> {
    const at = { group, version, resource, namespace: 'default' };
    const { metadata, ...rest } = wanted as { readonly metadata: object };
    const read = yield* this.#call({ ...at, verb: 'get', name: 'kubernetes', options: { resourceVersion: '0' } });
    if (read.code === 404) {
      const object = { ...rest, metadata: { ...metadata, name: 'kubernetes', namespace: 'default' } } as unknown as UntypedObject;
      yield* this.#call({ ...at, verb: 'create', object });
      return;
    }
    if (read.code !== 200 || sameAddresses(read.object as unknown as Served, rest as Served)) return;
    const known = read.object as UntypedObject;
    yield* this.#call({ ...at, verb: 'update', name: 'kubernetes', object: { ...known, ...rest } as UntypedObject });
  }

  #call(request: Omit<ApiRequest, 'user'>): Task<ApiResponse> {
    return this.#options.core.handle({ ...request, user: USER, userAgent: 'kube-apiserver' });
  }
}

type Served = Partial<EndpointSlice> & { readonly subsets?: readonly { readonly addresses?: readonly { readonly ip: string }[] }[] };

function sameAddresses(a: Served, b: Served): boolean {
  const of = ({ endpoints, subsets }: Served): string =>
    [
      ...(endpoints ?? []).flatMap((one) => one.addresses),
      ...(subsets ?? []).flatMap((one) => (one.addresses ?? []).map(({ ip }) => ip)),
    ].join();
  return of(a) === of(b);
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** Upstream: the first half of the host name's SHA-256 in base 32, in lower case and without padding. */
function identityOf(hostname: string): string {
  let bits = 0;
  let held = 0;
  let out = '';
  for (const byte of sha256(hostname).slice(0, 16)) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      out += BASE32[(held >> bits) & 31];
    }
  }
  return bits > 0 ? out + BASE32[(held << (5 - bits)) & 31] : out;
}
