import type { Endpoint, EndpointSlice, Service } from '../api/types.ts';
import { semanticEqual } from './semantic-equal.ts';
import type { SlicePlan } from './endpoint-slice-plan.ts';

/** The hint of one endpoint under spec.trafficDistribution (KEP-4444, KEP-3015): proxies of the same zone or node prefer it. */
function hinted(endpoint: Endpoint, distribution: string | undefined): Endpoint {
  const { hints: _, ...plain } = endpoint;
  // Only endpoints that serve are worth a preference.
  if (endpoint.conditions?.ready !== true) return plain;
  const zone = endpoint.zone === undefined ? {} : { forZones: [{ name: endpoint.zone }] };
  if (distribution === 'PreferClose' || distribution === 'PreferSameZone')
    return endpoint.zone === undefined ? plain : { ...plain, hints: zone };
  if (distribution === 'PreferSameNode') {
    if (endpoint.nodeName === undefined) return plain;
    return { ...plain, hints: { ...zone, forNodes: [{ name: endpoint.nodeName }] } };
  }
  return plain;
}

function withHints(slice: EndpointSlice, distribution: string | undefined): EndpointSlice {
  const endpoints = slice.endpoints.map((endpoint) => hinted(endpoint, distribution));
  return semanticEqual(endpoints, slice.endpoints) ? slice : { ...slice, endpoints };
}

/** Adds or takes away hints in what is written, and in slices that would not have been. Upstream trafficdist.ReconcileHints. */
export function planHints(service: Service, existing: readonly EndpointSlice[], plan: SlicePlan): SlicePlan {
  const distribution = service.spec?.trafficDistribution;
  const update = plan.update.map((slice) => withHints(slice, distribution));
  const touched = new Set([...plan.update, ...plan.delete].map((slice) => slice.metadata.name));
  for (const slice of existing) {
    if (touched.has(slice.metadata.name)) continue;
    const next = withHints(slice, distribution);
    if (next !== slice) update.push(next);
  }
  return { create: plan.create.map((slice) => withHints(slice, distribution)), update, delete: plan.delete };
}
