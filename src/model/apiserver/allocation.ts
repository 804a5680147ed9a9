import type { Task } from '../../sim/task.ts';
import type { FieldError } from '../api/field-error.ts';
import { needsHealthCheckPort, needsNodePorts } from '../api/kinds/core/service-fields.ts';
import { initIpFamilies } from '../api/kinds/core/service-ip-families.ts';
import type { UntypedObject } from '../api/object.ts';
import type { ServedKind } from '../api/registry.ts';
import { invalid as invalidStatus } from '../api/status.ts';
import { newUid } from '../api/names.ts';
import { formatTime } from '../api/time.ts';
import type { Service, ServicePort, ServiceSpec } from '../api/types.ts';
import { invalid } from '../api/validation/field-errors.ts';
import { kindNamed } from './admission/lookup.ts';
import { refuse } from './refusal.ts';
import { createObject, guaranteedUpdate, keyOf, readObject } from './resource-store.ts';
import type { RequestScope, ServerContext } from './server-context.ts';

/** An object with what the server allocated for it; `release` gives that back when the object was not stored. */
export interface Allocation {
  readonly object: UntypedObject;
  readonly release: () => Task<void>;
}

function* keep(): Task<void> {}

/** 10.96.0.0/16: addresses below the band are left for those who ask by name (KEP-3070). */
interface Range {
  readonly first: number;
  readonly size: number;
}

const defaultRange = '10.96.0.0/16';
/** Service ranges of one family. */
const clusterFamilies = ['IPv4'] as const;
const defaultPorts = { first: 30_000, last: 32_767 };

function rangeOf(server: ServerContext): Range {
  const [base = '', bits = '16'] = (server.options.serviceClusterIpRange ?? defaultRange).split('/');
  const first = base.split('.').reduce((all, part) => all * 256 + Number(part), 0);
  return { first, size: 2 ** (32 - Number(bits)) };
}

function ipText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

function ipNumber(text: string): number {
  return text.split('.').reduce((all, part) => all * 256 + Number(part), 0);
}

/** Upstream calculateRangeOffset: an eighth to a sixteenth of the range, between 16 and 256. */
function bandOf(size: number): number {
  return Math.min(Math.max(16, Math.floor(size / 16)), 256);
}

/** Cluster IPs and node ports of a new service; other kinds pass through. */
export function* allocateForCreate(scope: RequestScope, kind: ServedKind, object: UntypedObject): Task<Allocation> {
  if (kind.kind !== 'Service') return { object, release: keep };
  return yield* allocate(scope, kind, object as unknown as Service, undefined);
}

/** What an update of a service needs besides what it had. */
export function* allocateForUpdate(scope: RequestScope, kind: ServedKind, next: UntypedObject, previous: UntypedObject): Task<Allocation> {
  if (kind.kind !== 'Service' || next['spec'] === previous['spec']) return { object: next, release: keep };
  return yield* allocate(scope, kind, next as unknown as Service, previous as unknown as Service);
}

/** Gives back what a deleted service held. */
export function* releaseService(scope: RequestScope, object: UntypedObject): Task<void> {
  const { spec } = object as unknown as Service;
  for (const ip of spec?.clusterIPs ?? []) if (ip !== 'None') yield* releaseAddress(scope.server, ip);
  const ports = (spec?.ports ?? []).map((port) => port.nodePort ?? 0);
  if (spec?.healthCheckNodePort !== undefined) ports.push(spec.healthCheckNodePort);
  yield* releasePorts(
    scope.server,
    ports.filter((port) => port > 0),
  );
}

function* allocate(scope: RequestScope, kind: ServedKind, service: Service, previous: Service | undefined): Task<Allocation> {
  let spec: ServiceSpec = service.spec ?? {};
  const errors: FieldError[] = [];
  const addresses: string[] = [];
  const ports: number[] = [];
  const release = function* (): Task<void> {
    if (scope.dryRun) return;
    for (const address of addresses) yield* releaseAddress(scope.server, address);
    yield* releasePorts(scope.server, ports);
  };
  if (spec.type !== 'ExternalName') {
    spec = initIpFamilies(spec, previous?.spec, clusterFamilies, errors);
    if (errors.length === 0) spec = yield* withAddresses(scope, service, spec, previous?.spec, addresses, errors);
    if (errors.length === 0) spec = yield* withPorts(scope, spec, previous?.spec, ports, errors);
  }
  if (errors.length > 0) {
    yield* release();
    refuse(invalidStatus(kind, service.metadata.name ?? '', errors));
  }
  const object = spec === service.spec ? service : { ...service, spec };
  return { object: object as unknown as UntypedObject, release };
}

function* withAddresses(
  scope: RequestScope,
  service: Service,
  spec: ServiceSpec,
  before: ServiceSpec | undefined,
  taken: string[],
  errors: FieldError[],
): Task<ServiceSpec> {
  if (spec.clusterIP === 'None') return spec.clusterIPs === undefined ? { ...spec, clusterIPs: ['None'] } : spec;
  const wanted = spec.clusterIPs?.[0] ?? spec.clusterIP ?? '';
  if (wanted !== '' && wanted === before?.clusterIPs?.[0]) return spec;
  const range = rangeOf(scope.server);
  if (wanted !== '') {
    const number = ipNumber(wanted);
    if (!/^\d+\.\d+\.\d+\.\d+$/.test(wanted)) return spec;
    if (number <= range.first || number >= range.first + range.size - 1) {
      const text = scope.server.options.serviceClusterIpRange ?? defaultRange;
      errors.push(
        invalid(
          'spec.clusterIPs',
          spec.clusterIPs ?? [wanted],
          `failed to allocate IP ${wanted}: provided IP is not in the valid range. The range of valid IPs is ${text}`,
        ),
      );
      return spec;
    }
    if (!scope.dryRun && !(yield* claimAddress(scope, service, wanted))) {
      errors.push(
        invalid('spec.clusterIPs', spec.clusterIPs ?? [wanted], `failed to allocate IP ${wanted}: provided IP is already allocated`),
      );
      return spec;
    }
    if (!scope.dryRun) taken.push(wanted);
    return { ...spec, clusterIP: wanted, clusterIPs: spec.clusterIPs ?? [wanted] };
  }
  if (scope.dryRun) return { ...spec, clusterIP: ipText(range.first), clusterIPs: [ipText(range.first)] };
  const band = bandOf(range.size);
  const span = range.size - band - 1;
  const start = scope.server.environment.random() % span;
  for (let i = 0; i < span; i++) {
    const ip = ipText(range.first + band + ((start + i) % span));
    if (!(yield* claimAddress(scope, service, ip))) continue;
    taken.push(ip);
    return { ...spec, clusterIP: ip, clusterIPs: [ip] };
  }
  errors.push(invalid('spec.clusterIPs', spec.clusterIPs ?? [], 'failed to allocate a serviceIP: range is full'));
  return spec;
}

/** An address is held by an IPAddress object of its name (MultiCIDRServiceAllocator): whoever creates it has it. */
function* claimAddress(scope: RequestScope, service: Service, ip: string): Task<boolean> {
  const { server } = scope;
  const kind = kindNamed(server, 'networking.k8s.io', 'v1', 'ipaddresses');
  const object: UntypedObject = {
    kind: 'IPAddress',
    apiVersion: 'networking.k8s.io/v1',
    metadata: {
      name: ip,
      uid: newUid(server.environment.random),
      generation: 1,
      creationTimestamp: formatTime(scope.context.nowUs),
      labels: { 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' },
    },
    spec: { parentRef: { resource: 'services', namespace: scope.namespace, name: service.metadata.name ?? '' } },
  };
  return (yield* createObject(server, keyOf(kind, '', ip), object)) !== undefined;
}

function* releaseAddress(server: ServerContext, ip: string): Task<void> {
  const key = keyOf(kindNamed(server, 'networking.k8s.io', 'v1', 'ipaddresses'), '', ip);
  const held = yield* readObject(server, key);
  if (held !== undefined) yield* server.storage.compareAndDelete(key, Number(held.metadata.resourceVersion));
}

const portsKey = '/registry/ranges/servicenodeports';

interface PortRange extends UntypedObject {
  readonly ports: readonly number[];
}

function* withPorts(
  scope: RequestScope,
  spec: ServiceSpec,
  before: ServiceSpec | undefined,
  taken: number[],
  errors: FieldError[],
): Task<ServiceSpec> {
  const held = new Set((before?.ports ?? []).map((port) => port.nodePort ?? 0));
  if (before?.healthCheckNodePort !== undefined) held.add(before.healthCheckNodePort);
  const wantsPorts = needsNodePorts(spec) || (spec.ports ?? []).some((port) => (port.nodePort ?? 0) > 0);
  const wantsHealth = needsHealthCheckPort(spec);
  if (!wantsPorts && !wantsHealth) return spec;
  const { first, last } = scope.server.options.serviceNodePortRange ?? defaultPorts;
  let ports: ServicePort[] = [...(spec.ports ?? [])];
  let health = spec.healthCheckNodePort ?? 0;
  const fresh: number[] = [];
  yield* changePorts(scope.server, scope.dryRun, (used) => {
    fresh.length = 0;
    errors.length = 0;
    const busy = new Set(used);
    const claim = (field: string, wanted: number): void => {
      if (wanted < first || wanted > last)
        errors.push(invalid(field, wanted, `provided port is not in the valid range. The range of valid ports is ${first}-${last}`));
      else if (busy.has(wanted) && !fresh.includes(wanted)) errors.push(invalid(field, wanted, 'provided port is already allocated'));
      else {
        busy.add(wanted);
        fresh.push(wanted);
      }
    };
    const next = (): number => {
      for (let i = 0; i < 100_000; i++) {
        const port = first + (scope.server.environment.random() % (last - first + 1));
        if (busy.has(port)) continue;
        busy.add(port);
        fresh.push(port);
        return port;
      }
      return 0;
    };
    ports = (spec.ports ?? []).map((port, i) => {
      const wanted = port.nodePort ?? 0;
      if (wanted > 0) {
        if (!held.has(wanted)) claim(`spec.ports[${i}].nodePort`, wanted);
        return port;
      }
      if (!needsNodePorts(spec)) return port;
      const twin = (spec.ports ?? []).slice(0, i).findIndex((other) => other.port === port.port && other.protocol !== port.protocol);
      return { ...port, nodePort: twin >= 0 ? (ports[twin]?.nodePort ?? next()) : next() };
    });
    if (wantsHealth && health > 0 && !held.has(health)) claim('spec.healthCheckNodePort', health);
    if (wantsHealth && health === 0) health = next();
    return errors.length > 0 ? used : [...busy].sort((a, b) => a - b);
  });
  if (errors.length > 0) return spec;
  taken.push(...fresh);
  return { ...spec, ports, ...(wantsHealth ? { healthCheckNodePort: health } : {}) };
}

/** Node ports are one object that every server updates with optimistic concurrency, as upstream's RangeAllocation. */
function* changePorts(server: ServerContext, dryRun: boolean, change: (used: readonly number[]) => readonly number[]): Task<void> {
  const kind = kindNamed(server, '', 'v1', 'services');
  // biome-ignore lint/correctness/useYield: a task that answers at once
  yield* guaranteedUpdate(server, { kind, key: portsKey, name: 'servicenodeports', dryRun, allowCreate: true }, function* (existing) {
    const current = existing as PortRange | undefined;
    const ports = change(current?.ports ?? []);
    const base: UntypedObject = current ?? { kind: 'RangeAllocation', apiVersion: 'v1', metadata: {} };
    return { ...base, ports } as UntypedObject;
  });
}

function* releasePorts(server: ServerContext, ports: readonly number[]): Task<void> {
  if (ports.length === 0) return;
  yield* changePorts(server, false, (used) => used.filter((port) => !ports.includes(port)));
}
