import { compareQuantity, formatQuantity, type Quantity, quantityOf } from '../quantity.ts';
import type { ResourceRequirements } from '../types.ts';
import { duplicate, type FieldErrors, forbidden, invalid, notFound, required } from './field-errors.ts';
import { sortedKeys } from './labels.ts';
import { isDns1123Label, isQualifiedName } from './names.ts';
import { negativeMessage } from './numbers.ts';

/**
 * Resource names and amounts, and requirements made of them.
 * Upstream: pkg/apis/core/helper/helpers.go and validateResourceRequirements of pkg/apis/core/validation.
 */
export type ResourceList = Readonly<Record<string, string>>;

export const notPositiveMessage = 'must be greater than zero';
const nanoPerUnit = 1_000_000_000n;

const standardContainer = new Set(['cpu', 'memory', 'ephemeral-storage']);
const standardQuota = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
]);
const standard = new Set([...standardQuota, 'storage']);
const integer = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);

export function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}

/** helper.IsNativeResource: not vendor-prefixed. */
export function isNativeResource(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

/** helper.IsExtendedResourceName. */
export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith('requests.')) return false;
  return isQualifiedName(`requests.${name}`).length === 0;
}

function isStandardContainerResource(name: string): boolean {
  return standardContainer.has(name) || isHugePages(name);
}

/** helper.IsStandardQuotaResourceName. */
export function isStandardQuotaResource(name: string): boolean {
  return standardQuota.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-');
}

/** helper.IsOvercommitAllowed. */
export function isOvercommitAllowed(name: string): boolean {
  return isNativeResource(name) && !isHugePages(name);
}

function isInteger(name: string): boolean {
  return integer.has(name) || isExtendedResource(name);
}

/** validateResourceName. */
export function checkResourceName(name: string, field: string, out: FieldErrors): boolean {
  const messages = isQualifiedName(name);
  for (const message of messages) out.push(invalid(field, name, message));
  if (messages.length > 0) return false;
  if (!name.includes('/') && !standard.has(name) && !isHugePages(name) && !name.startsWith('requests.hugepages-')) {
    out.push(invalid(field, name, 'must be a standard resource type or fully qualified'));
    return false;
  }
  return true;
}

/** validateContainerResourceName. */
export function checkContainerResourceName(name: string, field: string, out: FieldErrors): void {
  if (standardContainer.has(name)) return;
  checkResourceName(name, field, out);
  if (!name.includes('/')) {
    if (!isStandardContainerResource(name)) out.push(invalid(field, name, 'must be a standard resource for containers'));
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    out.push(invalid(field, name, "doesn't follow extended resource name standard"));
  }
}

/** ValidateResourceQuotaResourceName. */
export function checkQuotaResourceName(name: string, field: string, out: FieldErrors): void {
  checkResourceName(name, field, out);
  if (!name.includes('/') && !isStandardQuotaResource(name)) out.push(invalid(field, name, 'must be a standard resource for quota'));
}

/** ValidateResourceQuantityValue. */
export function checkResourceQuantity(name: string, text: string, field: string, out: FieldErrors): void {
  const { nano } = quantityOf(text);
  if (nano < 0n) out.push(invalid(field, text, negativeMessage));
  // Thousandths are what upstream looks at: anything finer has been rounded up to one.
  if (nano % nanoPerUnit !== 0n && isInteger(name)) out.push(invalid(field, text, 'must be an integer'));
}

/** ValidatePositiveQuantityValue. */
export function checkPositiveQuantity(text: string, field: string, out: FieldErrors): boolean {
  if (quantityOf(text).nano > 0n) return true;
  out.push(invalid(field, text, notPositiveMessage));
  return false;
}

/** validateBasicResource. */
export function checkBasicResource(text: string, field: string, out: FieldErrors): void {
  const { nano } = quantityOf(text);
  if (nano < 0n && -nano >= nanoPerUnit) out.push(invalid(field, Number(nano / nanoPerUnit), 'must be a valid resource quantity'));
}

function checkHugePages(name: string, quantity: Quantity, field: string, out: FieldErrors): void {
  const page = quantityOf(name.slice('hugepages-'.length));
  if (page.nano > 0n && quantity.nano % page.nano !== 0n) {
    out.push(invalid(field, formatQuantity(quantity), `${formatQuantity(quantity)} is not positive integer multiple of ${name}`));
  }
}

export type ResourceNameCheck = (name: string, field: string, out: FieldErrors) => void;

/** validateResourceRequirements. */
export function checkRequirements(
  requirements: ResourceRequirements | undefined,
  field: string,
  claimNames: ReadonlySet<string>,
  out: FieldErrors,
  checkName: ResourceNameCheck = checkContainerResourceName,
): void {
  if (requirements === undefined) return;
  const { limits, requests, claims } = requirements;
  let computed = false;
  let huge = false;
  if (limits !== undefined) {
    for (const name of sortedKeys(limits)) {
      const text = limits[name] ?? '0';
      const path = `${field}.limits[${name}]`;
      checkName(name, path, out);
      checkResourceQuantity(name, text, path, out);
      if (isHugePages(name)) {
        huge = true;
        checkHugePages(name, quantityOf(text), path, out);
      }
      computed ||= name === 'cpu' || name === 'memory';
    }
  }
  if (requests !== undefined) {
    for (const name of sortedKeys(requests)) {
      const text = requests[name] ?? '0';
      const path = `${field}.requests[${name}]`;
      checkName(name, path, out);
      checkResourceQuantity(name, text, path, out);
      const limit = limits?.[name];
      const overcommit = isOvercommitAllowed(name);
      if (limit !== undefined) {
        const order = text === limit ? 0 : compareQuantity(quantityOf(text), quantityOf(limit));
        if (order !== 0 && !overcommit) out.push(invalid(`${field}.requests`, text, `must be equal to ${name} limit of ${limit}`));
        else if (order > 0) out.push(invalid(`${field}.requests`, text, `must be less than or equal to ${name} limit of ${limit}`));
      } else if (!overcommit) out.push(required(`${field}.limits`, 'Limit must be set for non overcommitable resources'));
      if (isHugePages(name)) {
        huge = true;
        checkHugePages(name, quantityOf(text), path, out);
      }
      computed ||= name === 'cpu' || name === 'memory';
    }
  }
  if (huge && !computed) out.push(forbidden(field, 'HugePages require cpu or memory'));
  if (claims !== undefined) checkClaims(claims, `${field}.claims`, claimNames, out);
}

/** validateResourceClaimNames. */
function checkClaims(
  claims: NonNullable<ResourceRequirements['claims']>,
  field: string,
  claimNames: ReadonlySet<string>,
  out: FieldErrors,
): void {
  const seen = new Set<string>();
  for (let i = 0; i < claims.length; i++) {
    const { name = '', request = '' } = claims[i] ?? {};
    const path = `${field}[${i}]`;
    if (name === '') {
      out.push(required(path));
      continue;
    }
    if (seen.has(name)) out.push(duplicate(path, name));
    else {
      const key = request === '' ? name : `${name}/${request}`;
      if (request !== '') for (const message of isDns1123Label(request)) out.push(invalid(`${path}.request`, request, message));
      if (seen.has(key)) out.push(duplicate(path, key));
      else if (request === '') for (const other of seen) if (other.startsWith(`${name}/`)) out.push(duplicate(path, name));
      seen.add(key);
    }
    if (!claimNames.has(name)) {
      const known = [...claimNames].sort();
      const tail = known.length === 0 ? ' which is empty' : `: ${known.join(', ')}`;
      out.push(notFound(path, name, `must be one of the names in pod.spec.resourceClaims${tail}`));
    }
  }
}
