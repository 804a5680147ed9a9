import { base64Decode, base64Encode } from '../../base64.ts';
import { withMissing, without } from '../../defaults/missing.ts';
import type { Secret } from '../../types.ts';
import { type FieldErrors, forbidden, invalid, required, tooLong } from '../../validation/field-errors.ts';
import { checkImmutable, sameValue } from '../../validation/immutable.ts';
import { sortedKeys } from '../../validation/labels.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { isConfigMapKey, nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { base64Bytes, contentSizeBytesMax, frozen } from './config-map.ts';

/** Upstream: pkg/registry/core/secret/strategy.go, pkg/apis/core/v1/defaults.go and conversion.go, pkg/apis/core/validation. */
const rule = { namespaced: true, name: nameIsDnsSubdomain, coreFinalizers: true };
const accountKey = 'kubernetes.io/service-account.name';

/** stringData is write-only: it lands in data, over what was there. */
function setDefaults(secret: Secret): Secret {
  const typed = withMissing(secret, { type: 'Opaque' });
  if (typed.stringData === undefined) return typed;
  const data: Record<string, string> = { ...typed.data };
  for (const key of Object.keys(typed.stringData)) data[key] = base64Encode(typed.stringData[key] ?? '');
  return { ...without(typed, 'stringData'), data };
}

function checkJson(data: Readonly<Record<string, string>>, key: string, out: FieldErrors): void {
  const text = data[key];
  if (text === undefined) return void out.push(required(`data[${key}]`));
  const problem = jsonObjectProblem(base64Decode(text));
  if (problem !== undefined) out.push(invalid(`data[${key}]`, '<secret contents redacted>', problem));
}

/** What encoding/json says of a text that should be an object. */
function jsonObjectProblem(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return undefined;
    if (value === null) return undefined;
    const what = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    return `json: cannot unmarshal ${what} into Go value of type map[string]interface {}`;
  } catch {
    const trimmed = text.trim();
    const first = trimmed[0];
    if (first === undefined || (first === '{' && !trimmed.endsWith('}'))) return 'unexpected end of JSON input';
    return `invalid character '${first === '{' ? (trimmed[1] ?? '}') : first}' looking for beginning of ${first === '{' ? 'object key string' : 'value'}`;
  }
}

function validate({ metadata, type, data = {} }: Secret): FieldErrors {
  const out: FieldErrors = [];
  checkMetadata(metadata, rule, out);
  let size = 0;
  for (const key of sortedKeys(data)) {
    for (const message of isConfigMapKey(key)) out.push(invalid(`data[${key}]`, key, message));
    size += base64Bytes(data[key] ?? '');
  }
  if (size > contentSizeBytesMax) out.push(tooLong('data', contentSizeBytesMax));
  switch (type) {
    case 'kubernetes.io/service-account-token':
      if ((metadata.annotations?.[accountKey] ?? '') === '') out.push(required(`metadata.annotations[${accountKey}]`));
      break;
    case 'kubernetes.io/dockercfg':
      checkJson(data, '.dockercfg', out);
      break;
    case 'kubernetes.io/dockerconfigjson':
      checkJson(data, '.dockerconfigjson', out);
      break;
    case 'kubernetes.io/basic-auth':
      if (data['username'] === undefined && data['password'] === undefined)
        out.push(required('data[username]'), required('data[password]'));
      break;
    case 'kubernetes.io/ssh-auth':
      if ((data['ssh-privatekey'] ?? '') === '') out.push(required('data[ssh-privatekey]'));
      break;
    case 'kubernetes.io/tls':
      for (const key of ['tls.crt', 'tls.key']) if (data[key] === undefined) out.push(required(`data[${key}]`));
      break;
    default:
  }
  return out;
}

export const secret = defineKind<Secret>('v1', 'secrets', {
  setDefaults,
  /** A type that is left out stays what it was. */
  prepareForUpdate: (next, previous) => ((next.type ?? '') === '' && previous.type !== undefined ? { ...next, type: previous.type } : next),
  validate,
  validateUpdate(next, previous) {
    const out: FieldErrors = [];
    checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
    checkImmutable(next.type, previous.type, 'type', out);
    if (previous.immutable === true) {
      if (next.immutable !== true) out.push(forbidden('immutable', frozen));
      if (!sameValue(next.data, previous.data)) out.push(forbidden('data', frozen));
    }
    out.push(...validate(next));
    return out;
  },
  warnings: ({ type, data }, previous) => {
    const certificate = data?.['tls.crt'];
    if (type !== 'kubernetes.io/tls' || previous !== undefined || certificate === undefined) return [];
    return base64Decode(certificate).includes('-----BEGIN ') ? [] : ['tls: failed to find any PEM data in certificate input'];
  },
  fieldNames: ['type'],
  fields: ({ type }) => ({ type: type ?? '' }),
  columns: columns<Secret>('secrets', [
    ['Type', 'string', ({ type }) => type ?? ''],
    ['Data', 'string', ({ data }) => Object.keys(data ?? {}).length],
    age(),
  ]),
});
