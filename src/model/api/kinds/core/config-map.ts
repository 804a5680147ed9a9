import type { ConfigMap } from '../../types.ts';
import { type FieldErrors, forbidden, invalid, tooLong } from '../../validation/field-errors.ts';
import { sameValue } from '../../validation/immutable.ts';
import { sortedKeys } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { byteLength, isConfigMapKey, nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';

/** Upstream: pkg/registry/core/configmap/strategy.go, pkg/apis/core/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
export const contentSizeBytesMax = 1024 * 1024;
export const frozen = 'field is immutable when `immutable` is set';

/** Bytes of a base64 text. */
export function base64Bytes(text: string): number {
  return Math.floor((text.length * 3) / 4) - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);
}

function validate({ metadata, data = {}, binaryData = {} }: ConfigMap): FieldErrors {
  const out: FieldErrors = [];
  checkMetadata(metadata, rule, out);
  let size = 0;
  for (const key of sortedKeys(data)) {
    for (const message of isConfigMapKey(key)) out.push(invalid(`data[${key}]`, key, message));
    if (Object.hasOwn(binaryData, key)) out.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    size += byteLength(data[key] ?? '');
  }
  for (const key of sortedKeys(binaryData)) {
    for (const message of isConfigMapKey(key)) out.push(invalid(`binaryData[${key}]`, key, message));
    size += base64Bytes(binaryData[key] ?? '');
  }
  if (size > contentSizeBytesMax) out.push(tooLong('[]', contentSizeBytesMax));
  return out;
}

export const configMap = defineKind<ConfigMap>('v1', 'configmaps', {
  validate,
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    if (previous.immutable === true) {
      if (next.immutable !== true) out.push(forbidden('immutable', frozen));
      if (!sameValue(next.data, previous.data)) out.push(forbidden('data', frozen));
      if (!sameValue(next.binaryData, previous.binaryData)) out.push(forbidden('binaryData', frozen));
    }
    out.push(...validate(next));
    return out;
  },
  columns: columns<ConfigMap>('configmaps', [
    ['Data', 'string', ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length],
    age(),
  ]),
});
