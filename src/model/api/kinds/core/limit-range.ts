import { changed, mapShared } from '../../defaults/missing.ts';
import { roundedResources } from '../../defaults/resources.ts';
import { compareQuantity, quantityOf, quantityMilliValue } from '../../quantity.ts';
import type { LimitRange, LimitRangeItem } from '../../types.ts';
import { duplicate, type FieldErrors, forbidden, invalid, required } from '../../validation/field-errors.ts';
import { sortedKeys } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isQualifiedName, nameIsDnsSubdomain } from '../../validation/names.ts';
import { checkContainerResourceName, checkResourceName, isOvercommitAllowed, type ResourceList } from '../../validation/resources.ts';
import { columns, createdAt } from '../columns.ts';
import { defineKind } from '../define.ts';

/** Upstream: pkg/registry/core/limitrange/strategy.go, pkg/apis/core/v1/defaults.go, pkg/apis/core/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const types = ['Pod', 'Container', 'PersistentVolumeClaim'];
const lists = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;

/** Of containers, the limit defaults to the maximum, the request to the limit and then to the minimum. */
function defaultItem(given: LimitRangeItem): LimitRangeItem {
  let item = given;
  for (const key of lists) if (item[key] !== undefined) item = changed(item, key, roundedResources);
  if (item.type !== 'Container') return item;
  const limits: ResourceList = { ...item.max, ...item.default };
  const requests: ResourceList = { ...item.min, ...limits, ...item.defaultRequest };
  const grown = (list: ResourceList | undefined, full: ResourceList): boolean => Object.keys(full).length > Object.keys(list ?? {}).length;
  if (grown(item.default, limits)) item = { ...item, default: limits };
  if (grown(item.defaultRequest, requests)) item = { ...item, defaultRequest: requests };
  return item;
}

function checkType(type: string, field: string, out: FieldErrors): void {
  const messages = isQualifiedName(type);
  for (const message of messages) out.push(invalid(field, type, message));
  if (messages.length === 0 && !type.includes('/') && !types.includes(type))
    out.push(invalid(field, type, 'must be a standard limit type or fully qualified'));
}

function checkItem(item: LimitRangeItem, field: string, out: FieldErrors): void {
  const keys = new Set<string>();
  const checkName = item.type === 'Pod' || item.type === 'Container' ? checkContainerResourceName : checkResourceName;
  const names = (key: (typeof lists)[number]): void => {
    for (const name of sortedKeys(item[key] ?? {})) {
      checkName(name, `${field}.${key}[${name}]`, out);
      keys.add(name);
    }
  };
  names('max');
  names('min');
  if (item.type === 'Pod') {
    for (const key of ['default', 'defaultRequest'] as const) {
      if (Object.keys(item[key] ?? {}).length > 0) out.push(forbidden(`${field}.${key}`, "may not be specified when `type` is 'Pod'"));
    }
  } else {
    names('default');
    names('defaultRequest');
  }
  if (item.type === 'PersistentVolumeClaim' && item.min?.['storage'] === undefined && item.max?.['storage'] === undefined) {
    out.push(required(`${field}.limits`, 'either minimum or maximum storage value is required, but neither was provided'));
  }
  names('maxLimitRequestRatio');
  for (const name of [...keys].sort()) checkAmounts(item, name, field, out);
}

function checkAmounts(item: LimitRangeItem, name: string, field: string, out: FieldErrors): void {
  const isPod = item.type === 'Pod';
  const min = item.min?.[name];
  const max = item.max?.[name];
  const limit = isPod ? undefined : item.default?.[name];
  const request = isPod ? undefined : item.defaultRequest?.[name];
  const ratio = item.maxLimitRequestRatio?.[name];
  const above = (a: string | undefined, b: string | undefined): boolean =>
    a !== undefined && b !== undefined && compareQuantity(quantityOf(a), quantityOf(b)) > 0;
  if (above(min, max)) out.push(invalid(`${field}.min[${name}]`, min, `min value ${min} is greater than max value ${max}`));
  const requestField = `${field}.defaultRequest[${name}]`;
  if (above(min, request)) out.push(invalid(requestField, request, `min value ${min} is greater than default request value ${request}`));
  if (above(request, max)) out.push(invalid(requestField, request, `default request value ${request} is greater than max value ${max}`));
  if (above(request, limit))
    out.push(invalid(requestField, request, `default request value ${request} is greater than default limit value ${limit}`));
  const limitField = `${field}.default[${name}]`;
  if (above(min, limit)) out.push(invalid(limitField, min, `min value ${min} is greater than default value ${limit}`));
  if (above(limit, max)) out.push(invalid(limitField, max, `default value ${limit} is greater than max value ${max}`));
  if (ratio !== undefined) {
    const ratioField = `${field}.maxLimitRequestRatio[${name}]`;
    if (above('1', ratio)) out.push(invalid(ratioField, ratio, `ratio ${ratio} is less than 1`));
    if (min !== undefined && max !== undefined) {
      const most = quantityMilliValue(quantityOf(max)) / quantityMilliValue(quantityOf(min));
      if (quantityMilliValue(quantityOf(ratio)) / 1000 > most)
        out.push(invalid(ratioField, ratio, `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`));
    }
  }
  if (
    !isOvercommitAllowed(name) &&
    limit !== undefined &&
    request !== undefined &&
    compareQuantity(quantityOf(limit), quantityOf(request)) !== 0
  ) {
    out.push(invalid(requestField, request, `default value ${limit} must equal to defaultRequest value ${request} in ${name}`));
  }
}

function validate({ metadata, spec }: LimitRange): FieldErrors {
  const out: FieldErrors = [];
  checkMetadata(metadata, rule, out);
  const seen = new Set<string>();
  for (const [i, item] of (spec?.limits ?? []).entries()) {
    const path = `spec.limits[${i}]`;
    const type: string = item.type ?? '';
    checkType(type, `${path}.type`, out);
    if (seen.has(type)) out.push(duplicate(`${path}.type`, type));
    seen.add(type);
    checkItem(item, path, out);
  }
  return out;
}

export const limitRange = defineKind<LimitRange>('v1', 'limitranges', {
  setDefaults: (object) =>
    (object.spec?.limits ?? undefined) === undefined
      ? object
      : changed(object, 'spec', (spec) => {
          const limits = mapShared(spec.limits, defaultItem);
          return limits === spec.limits ? spec : { ...spec, limits };
        }),
  validate,
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    out.push(...validate(next));
    return out;
  },
  columns: columns<LimitRange>('limitranges', [createdAt()]),
});
