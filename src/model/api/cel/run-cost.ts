import { keysOf, type Value } from './value.ts';
import { charsOf } from './functions/call.ts';

/** Units of cel-go's interpreter/runtimecost.go and of `apiserver/pkg/cel/library/cost.go`. */
export const createListUnits = 10;
export const createMapUnits = 30;
export const stringTraversalFactor = 0.1;
export const regexFactor = 0.25;
const accessCheckUnits = 350_000;

function sizeOf(value: Value | undefined): number {
  if (typeof value === 'string') return charsOf(value).length;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
  const keys = typeof value === 'object' && value !== null ? keysOf(value) : undefined;
  return keys?.length ?? 1;
}

function traversal(size: number, times = 1): number {
  return Math.ceil(size * times * stringTraversalFactor);
}

/** What one call has cost. */
export function callUnits(name: string, [a, b]: readonly Value[], result: Value): number {
  switch (name) {
    case 'check':
      return accessCheckUnits;
    case 'startsWith':
    case 'endsWith':
      return traversal(sizeOf(b));
    case 'contains':
      return traversal(sizeOf(a)) * traversal(sizeOf(b));
    case 'matches':
    case 'find':
    case 'findAll':
      return traversal(sizeOf(a) + 1) * Math.ceil(sizeOf(b) * regexFactor);
    case '@in':
      return Array.isArray(b) ? b.length : 1;
    case '_+_':
      return typeof a === 'string' || a instanceof Uint8Array ? traversal(sizeOf(a) + sizeOf(b)) : 1;
    case '_==_':
    case '_!=_':
    case '_<_':
    case '_<=_':
    case '_>_':
    case '_>=_':
      return Math.max(1, traversal(Math.min(sizeOf(a), sizeOf(b))));
    case 'isSorted':
    case 'sum':
    case 'min':
    case 'max':
    case 'indexOf':
    case 'lastIndexOf':
      return Array.isArray(a) ? a.length : traversal(sizeOf(a));
    case 'url':
    case 'lowerAscii':
    case 'upperAscii':
    case 'substring':
    case 'trim':
    case 'ip':
    case 'cidr':
    case 'isIP':
    case 'isCIDR':
    case 'quantity':
    case 'isQuantity':
      return traversal(sizeOf(a));
    case 'replace':
    case 'split':
    case 'ip.isCanonical':
      return traversal(sizeOf(a), 2);
    case 'join':
      return traversal(sizeOf(result), 2);
    default:
      return 1;
  }
}
