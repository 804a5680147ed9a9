import type { EndpointSlice, Service, ServicePort } from '../api/types.ts';

/** One address that traffic may be sent to. */
export interface Backend {
  readonly address: string;
  readonly port: number;
  /** Name of the pod behind it, '' where unknown. */
  readonly pod: string;
  readonly isLocal: boolean;
}

/** What a node does with traffic to one port of a service. */
export interface ServiceRule {
  /** 'namespace/name'. */
  readonly service: string;
  readonly portName: string;
  readonly port: number;
  readonly protocol: string;
  /** '' and 'None' where there is none. */
  readonly clusterIp: string;
  readonly nodePort: number;
  readonly externalIps: readonly string[];
  /** For traffic from within the cluster. */
  readonly internal: readonly Backend[];
  /** For traffic from outside. */
  readonly external: readonly Backend[];
  /** Outside traffic that finds no local backend is dropped, not refused: somewhere else there may be one. */
  readonly externalLocal: boolean;
  readonly internalLocal: boolean;
  /** Ready endpoints on the node itself: what its health check (spec.healthCheckNodePort) tells load balancers. */
  readonly localReady: number;
  /** ClientIP affinity, in seconds; 0: none. */
  readonly affinitySeconds: number;
}

export interface RuleInput {
  readonly service: Service;
  readonly slices: readonly EndpointSlice[];
  readonly node: string;
  readonly zone: string | undefined;
  /** Defect K23. */
  readonly dropsTerminating?: boolean;
}

interface Candidate extends Backend {
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly zoneHints: readonly string[];
  readonly nodeHints: readonly string[];
}

/** Rules of all ports of a service: upstream pkg/proxy/topology.go CategorizeEndpoints and the endpoint cache. */
export function serviceRules(input: RuleInput): readonly ServiceRule[] {
  const { service } = input;
  const spec = service.spec;
  if (spec === undefined || spec.type === 'ExternalName') return [];
  return (spec.ports ?? []).map((port) => ruleOf(input, port));
}

function ruleOf(input: RuleInput, port: ServicePort): ServiceRule {
  const { service } = input;
  const spec = service.spec ?? {};
  const candidates = candidatesOf(input, port.name ?? '');
  const internalLocal = spec.internalTrafficPolicy === 'Local';
  const externalLocal = spec.externalTrafficPolicy === 'Local';
  const cluster = usable(withTopology(candidates, input), candidates);
  const local = candidates.filter((candidate) => candidate.isLocal);
  // A load balancer goes on sending to a node for as long as its health checks take to fail. What is left on that node has to serve until
  // then, although it is on its way out (kubernetes#85643).
  const localUsable = input.dropsTerminating === true ? local.filter((candidate) => candidate.ready).map(backend) : usable(local, local);
  const external = [...(spec.externalIPs ?? [])];
  for (const ingress of service.status?.loadBalancer?.ingress ?? []) if (ingress.ip !== undefined) external.push(ingress.ip);
  return {
    service: `${service.metadata.namespace ?? ''}/${service.metadata.name ?? ''}`,
    portName: port.name ?? '',
    port: port.port,
    protocol: port.protocol ?? 'TCP',
    clusterIp: spec.clusterIP ?? '',
    nodePort: port.nodePort ?? 0,
    externalIps: external,
    internal: internalLocal ? localUsable : cluster,
    external: externalLocal ? localUsable : cluster,
    externalLocal,
    internalLocal,
    localReady: local.filter((candidate) => candidate.ready).length,
    affinitySeconds: spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : 0,
  };
}

function candidatesOf(input: RuleInput, portName: string): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  const slices = [...input.slices].sort((a, b) => compare(a.metadata.name ?? '', b.metadata.name ?? ''));
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
    const port = (slice.ports ?? []).find((candidate) => (candidate.name ?? '') === portName);
    if (port?.port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const address = endpoint.addresses[0];
      if (address === undefined) continue;
      const key = `${address}:${port.port}`;
      const target = endpoint.targetRef;
      // The same address in two slices (a move in progress): a ready one wins.
      if (found.get(key)?.ready === true) continue;
      found.set(key, {
        address,
        port: port.port,
        pod: target?.kind === 'Pod' ? `${target.namespace ?? slice.metadata.namespace ?? ''}/${target.name ?? ''}` : '',
        isLocal: endpoint.nodeName === input.node,
        ready: endpoint.conditions?.ready !== false,
        serving: endpoint.conditions?.serving ?? endpoint.conditions?.ready !== false,
        terminating: endpoint.conditions?.terminating === true,
        zoneHints: (endpoint.hints?.forZones ?? []).map((hint) => hint.name),
        nodeHints: (endpoint.hints?.forNodes ?? []).map((hint) => hint.name),
      });
    }
  }
  return [...found.keys()].sort().map((key) => found.get(key) as Candidate);
}

/** Ready endpoints; where there are none, those that still serve while they terminate (KEP-1669). */
function usable(candidates: readonly Candidate[], all: readonly Candidate[]): readonly Backend[] {
  const ready = candidates.filter((candidate) => candidate.ready);
  if (ready.length > 0) return ready.map(backend);
  return all.filter((candidate) => candidate.serving && candidate.terminating).map(backend);
}

/** Hints are followed when every ready endpoint has them and some are for this node or zone: upstream topologyModeFromHints. */
function withTopology(candidates: readonly Candidate[], input: RuleInput): readonly Candidate[] {
  const ready = candidates.filter((candidate) => candidate.ready);
  if (ready.length === 0) return candidates;
  if (ready.every((candidate) => candidate.nodeHints.length > 0)) {
    const here = ready.filter((candidate) => candidate.nodeHints.includes(input.node));
    if (here.length > 0) return here;
  }
  const { zone } = input;
  if (zone === undefined || !ready.every((candidate) => candidate.zoneHints.length > 0)) return candidates;
  const near = ready.filter((candidate) => candidate.zoneHints.includes(zone));
  return near.length > 0 ? near : candidates;
}

function backend({ address, port, pod, isLocal }: Candidate): Backend {
  return { address, port, pod, isLocal };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
