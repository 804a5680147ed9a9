import { formatQuantity, quantityOf } from '../quantity.ts';
import type { ResourceRequirements } from '../types.ts';

/** SetDefaults_ResourceList: amounts finer than a thousandth round up to one. */

type ResourceList = Readonly<Record<string, string>>;
const nanoPerMilli = 1_000_000n;

export function roundedResources(list: ResourceList): ResourceList {
  let result: Record<string, string> | undefined;
  for (const name in list) {
    const text = list[name] ?? '0';
    const quantity = quantityOf(text);
    const rest = quantity.nano % nanoPerMilli;
    if (rest === 0n) continue;
    result ??= { ...list };
    const nano = quantity.nano - rest + (quantity.nano > 0n ? nanoPerMilli : -nanoPerMilli);
    result[name] = formatQuantity({ nano, format: quantity.format });
  }
  return result ?? list;
}

/** Rounds both lists; with `fill`, a limit also serves as the request that is absent (SetDefaults_Pod). */
export function defaultRequirements(resources: ResourceRequirements, fill: boolean): ResourceRequirements {
  const limits = resources.limits === undefined ? undefined : roundedResources(resources.limits);
  let requests = resources.requests === undefined ? undefined : roundedResources(resources.requests);
  if (fill && limits !== undefined) {
    let filled: Record<string, string> | undefined;
    for (const name in limits) {
      if (requests !== undefined && name in requests) continue;
      filled ??= { ...requests };
      filled[name] = limits[name] ?? '0';
    }
    requests = filled ?? requests;
  }
  if (limits === resources.limits && requests === resources.requests) return resources;
  return { ...resources, ...(limits === undefined ? {} : { limits }), ...(requests === undefined ? {} : { requests }) };
}
