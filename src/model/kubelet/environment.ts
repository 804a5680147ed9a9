import type { Task } from '../../sim/task.ts';
import type { ConfigMap, Container, Pod, Secret } from '../api/types.ts';
import { quantityMilliValue, quantityOf, quantityValue } from '../api/quantity.ts';
import { CONFIG_MAPS, SECRETS } from '../client/resources.ts';
import { isNotFound } from '../client/result.ts';
import type { Client } from '../client/typed-client.ts';
import { failed, type SyncStep } from './sync-error.ts';

export interface EnvironmentOptions {
  readonly client: Client;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly allocatable: { readonly cpuMilli: number; readonly memoryBytes: number };
  readonly podIp: (podUid: string) => string;
}

type Variables = Record<string, string>;

/** Environment variables of a container: upstream kubelet_pods.go makeEnvironmentVariables. */
export class EnvironmentResolver {
  readonly #options: EnvironmentOptions;

  constructor(options: EnvironmentOptions) {
    this.#options = options;
  }

  *resolve(pod: Pod, container: Container): Task<SyncStep<Readonly<Variables>>> {
    const result: Variables = {};
    for (const source of container.envFrom ?? []) {
      const prefix = source.prefix ?? '';
      if (source.configMapRef !== undefined) {
        const found = yield* this.configMap(pod, source.configMapRef.name ?? '', source.configMapRef.optional === true);
        if (!found.ok) return found;
        addAll(result, prefix, found.value?.data);
      } else if (source.secretRef !== undefined) {
        const found = yield* this.secret(pod, source.secretRef.name ?? '', source.secretRef.optional === true);
        if (!found.ok) return found;
        addAll(result, prefix, decoded(found.value));
      }
    }
    for (const variable of container.env ?? []) {
      const from = variable.valueFrom;
      if (from === undefined) {
        result[variable.name] = expand(variable.value ?? '', result);
        continue;
      }
      if (from.fieldRef !== undefined) {
        result[variable.name] = this.field(pod, from.fieldRef.fieldPath);
        continue;
      }
      if (from.resourceFieldRef !== undefined) {
        result[variable.name] = this.#resourceField(pod, container, from.resourceFieldRef);
        continue;
      }
      const reference = from.configMapKeyRef ?? from.secretKeyRef;
      if (reference === undefined) continue;
      const isMap = from.configMapKeyRef !== undefined;
      const name = reference.name ?? '';
      const optional = reference.optional === true;
      let values: Readonly<Variables> | undefined;
      if (isMap) {
        const found = yield* this.configMap(pod, name, optional);
        if (!found.ok) return found;
        values = found.value?.data;
      } else {
        const found = yield* this.secret(pod, name, optional);
        if (!found.ok) return found;
        values = decoded(found.value);
      }
      const value = values?.[reference.key];
      if (value !== undefined) result[variable.name] = value;
      else if (!optional) {
        const kind = isMap ? 'ConfigMap' : 'Secret';
        return failed(
          'CreateContainerConfigError',
          `couldn't find key ${reference.key} in ${kind} ${pod.metadata.namespace ?? ''}/${name}`,
        );
      }
    }
    return { ok: true, value: result };
  }

  *configMap(pod: Pod, name: string, optional: boolean): Task<SyncStep<ConfigMap | undefined>> {
    const found = yield* this.#options.client.resource(CONFIG_MAPS).get(pod.metadata.namespace ?? '', name);
    if (found.ok) return { ok: true, value: found.object };
    if (isNotFound(found))
      return optional
        ? { ok: true, value: undefined }
        : failed('CreateContainerConfigError', `configmap ${JSON.stringify(name)} not found`);
    return failed('CreateContainerConfigError', found.message);
  }

  *secret(pod: Pod, name: string, optional: boolean): Task<SyncStep<Secret | undefined>> {
    const found = yield* this.#options.client.resource(SECRETS).get(pod.metadata.namespace ?? '', name);
    if (found.ok) return { ok: true, value: found.object };
    if (isNotFound(found))
      return optional ? { ok: true, value: undefined } : failed('CreateContainerConfigError', `secret ${JSON.stringify(name)} not found`);
    return failed('CreateContainerConfigError', found.message);
  }

  /** The downward API's fields. */
  field(pod: Pod, path: string): string {
    const { metadata, spec } = pod;
    const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
    if (subscript !== null) return (subscript[1] === 'labels' ? metadata.labels : metadata.annotations)?.[subscript[2] ?? ''] ?? '';
    const ip = spec.hostNetwork === true ? this.#options.nodeIp : this.#options.podIp(metadata.uid ?? '');
    switch (path) {
      case 'metadata.name':
        return metadata.name ?? '';
      case 'metadata.namespace':
        return metadata.namespace ?? '';
      case 'metadata.uid':
        return metadata.uid ?? '';
      case 'metadata.labels':
        return mapText(metadata.labels);
      case 'metadata.annotations':
        return mapText(metadata.annotations);
      case 'spec.nodeName':
        return this.#options.nodeName;
      case 'spec.serviceAccountName':
        return spec.serviceAccountName ?? '';
      case 'status.hostIP':
      case 'status.hostIPs':
        return this.#options.nodeIp;
      case 'status.podIP':
      case 'status.podIPs':
        return ip;
      default:
        return '';
    }
  }

  #resourceField(
    pod: Pod,
    container: Container,
    reference: { readonly containerName?: string; readonly resource: string; readonly divisor?: string },
  ): string {
    const name = reference.containerName ?? '';
    const target =
      name === ''
        ? container
        : ([...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((other) => other.name === name) ?? container);
    const [kind = '', resource = ''] = reference.resource.split('.', 2);
    const { allocatable } = this.#options;
    const list = kind === 'limits' ? target.resources?.limits : target.resources?.requests;
    const text = list?.[resource];
    const divisor = quantityOf(reference.divisor ?? '1');
    if (resource === 'cpu') {
      const milli = text === undefined ? (kind === 'limits' ? allocatable.cpuMilli : 0) : quantityMilliValue(quantityOf(text));
      const unit = quantityMilliValue(divisor);
      return String(Math.ceil(milli / (unit === 0 ? 1000 : unit)));
    }
    const bytes =
      text === undefined ? (kind === 'limits' && resource === 'memory' ? allocatable.memoryBytes : 0) : quantityValue(quantityOf(text));
    const unit = quantityValue(divisor);
    return String(Math.ceil(bytes / (unit === 0 ? 1 : unit)));
  }
}

function addAll(into: Variables, prefix: string, values: Readonly<Variables> | undefined): void {
  for (const key of Object.keys(values ?? {}).sort()) into[`${prefix}${key}`] = values?.[key] ?? '';
}

function mapText(map: Readonly<Variables> | undefined): string {
  return Object.keys(map ?? {})
    .sort()
    .map((key) => `${key}=${JSON.stringify(map?.[key] ?? '')}`)
    .join('\n');
}

/** $(NAME) refers to variables before it; $$ is a dollar sign: upstream third_party/forked/golang/expansion. */
function expand(text: string, known: Readonly<Variables>): string {
  if (!text.includes('$')) return text;
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (match, name: string | undefined) => (match === '$$' ? '$' : (known[name ?? ''] ?? match)));
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function decoded(secret: Secret | undefined): Readonly<Variables> {
  const out: Variables = {};
  const data = secret?.data as Readonly<Variables> | undefined;
  for (const key of Object.keys(data ?? {})) out[key] = decodeBase64(data?.[key] ?? '');
  return out;
}

/** Bytes of a Secret as text, each byte one character. */
export function decodeBase64(text: string): string {
  let out = '';
  let bits = 0;
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = BASE64.indexOf(text.charAt(i));
    if (digit < 0) continue;
    bits = ((bits << 6) | digit) & 0xffffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += String.fromCharCode((bits >> count) & 0xff);
    }
  }
  return out;
}
