import type { ApiList, ApiObject, Json, UntypedObject } from '../api/object.ts';
import type { PatchType, RequestOptions } from '../api/request.ts';
import type { Binding, Eviction, Pod } from '../api/types.ts';
import type { Task } from '../../sim/task.ts';
import type { Micros } from '../../sim/time.ts';
import { apiVersionOf, PODS, type Resource } from './resources.ts';
import type { ApiResult } from './result.ts';
import type { ApiTransport, ClientRequest, TransportResult } from './transport.ts';

export interface CallOptions {
  readonly options?: RequestOptions;
  readonly timeoutUs?: Micros;
}

export interface PatchOptions extends CallOptions {
  readonly subresource?: string;
}

/** The API of one kind. Namespaces are '' for cluster-wide kinds (and for all namespaces, where listing). */
export class ResourceClient<T extends ApiObject> {
  readonly resource: Resource<T>;
  readonly #transport: ApiTransport;

  constructor(transport: ApiTransport, resource: Resource<T>) {
    this.#transport = transport;
    this.resource = resource;
  }

  get(namespace: string, name: string, call: CallOptions = {}): Task<ApiResult<T>> {
    return this.#send<T>({ ...this.#base(namespace), verb: 'get', name }, call);
  }

  list(namespace: string, call: CallOptions = {}): Task<ApiResult<ApiList<T>>> {
    return this.#send<ApiList<T>>({ ...this.#base(namespace), verb: 'list' }, call);
  }

  create(object: T, call: CallOptions = {}): Task<ApiResult<T>> {
    return this.#send<T>({ ...this.#base(object.metadata.namespace ?? ''), verb: 'create', object: this.#typed(object) }, call);
  }

  update(object: T, call: CallOptions & { readonly subresource?: string } = {}): Task<ApiResult<T>> {
    return this.#send<T>(
      {
        ...this.#base(object.metadata.namespace ?? ''),
        verb: 'update',
        name: object.metadata.name ?? '',
        object: this.#typed(object),
        ...(call.subresource === undefined ? {} : { subresource: call.subresource }),
      },
      call,
    );
  }

  updateStatus(object: T, call: CallOptions = {}): Task<ApiResult<T>> {
    return this.update(object, { ...call, subresource: 'status' });
  }

  patch(namespace: string, name: string, patchType: PatchType, patch: Json, call: PatchOptions = {}): Task<ApiResult<T>> {
    return this.#send<T>(
      {
        ...this.#base(namespace),
        verb: 'patch',
        name,
        patchType,
        patch,
        ...(call.subresource === undefined ? {} : { subresource: call.subresource }),
      },
      call,
    );
  }

  /** The answer's object is the object where it still lives (finalizers, grace), else a Status of success. */
  delete(namespace: string, name: string, call: CallOptions = {}): Task<ApiResult<ApiObject>> {
    return this.#send<ApiObject>({ ...this.#base(namespace), verb: 'delete', name }, call);
  }

  deleteCollection(namespace: string, call: CallOptions = {}): Task<ApiResult<ApiObject>> {
    return this.#send<ApiObject>({ ...this.#base(namespace), verb: 'deletecollection' }, call);
  }

  /** POST to a subresource: binding, eviction, token. */
  post<R extends ApiObject>(
    namespace: string,
    name: string,
    subresource: string,
    object: ApiObject,
    call: CallOptions = {},
  ): Task<ApiResult<R>> {
    return this.#send<R>({ ...this.#base(namespace), verb: 'create', name, subresource, object: object as UntypedObject }, call);
  }

  /** GET of a subresource: scale. */
  getSubresource<R extends ApiObject>(namespace: string, name: string, subresource: string, call: CallOptions = {}): Task<ApiResult<R>> {
    return this.#send<R>({ ...this.#base(namespace), verb: 'get', name, subresource }, call);
  }

  #base(namespace: string): { readonly group: string; readonly version: string; readonly resource: string; readonly namespace?: string } {
    const { group, version, resource, namespaced } = this.resource;
    return { group, version, resource, ...(namespaced && namespace !== '' ? { namespace } : {}) };
  }

  /** Objects that come out of lists and informers may lack their type; the wire form has it. */
  #typed(object: T): UntypedObject {
    if (object.kind !== undefined && object.apiVersion !== undefined) return object as unknown as UntypedObject;
    return { ...(object as ApiObject), apiVersion: apiVersionOf(this.resource), kind: this.resource.kind };
  }

  *#send<R>(request: ClientRequest, call: CallOptions): Task<ApiResult<R>> {
    const full = call.options === undefined ? request : { ...request, options: call.options };
    const result: TransportResult = yield* this.#transport.request(full, call.timeoutUs === undefined ? {} : { timeoutUs: call.timeoutUs });
    return result.ok ? { ok: true, object: result.response.object as R } : result;
  }
}

/** A program's client of the API. */
export class Client {
  readonly transport: ApiTransport;
  readonly #resources = new Map<Resource, ResourceClient<ApiObject>>();

  constructor(transport: ApiTransport) {
    this.transport = transport;
  }

  resource<T extends ApiObject>(resource: Resource<T>): ResourceClient<T> {
    let client = this.#resources.get(resource as Resource);
    if (client === undefined) {
      client = new ResourceClient<ApiObject>(this.transport, resource as Resource);
      this.#resources.set(resource as Resource, client);
    }
    return client as unknown as ResourceClient<T>;
  }

  /** Binds a pod to a node, as the scheduler does. */
  bind(pod: Pod, nodeName: string): Task<ApiResult<ApiObject>> {
    const binding: Binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { namespace: pod.metadata.namespace ?? '', name: pod.metadata.name ?? '', uid: pod.metadata.uid ?? '' },
      target: { kind: 'Node', name: nodeName },
    };
    return this.resource(PODS).post(pod.metadata.namespace ?? '', pod.metadata.name ?? '', 'binding', binding);
  }

  /** Asks for an eviction, which disruption budgets may refuse with 429. */
  evict(namespace: string, name: string, deleteOptions?: Eviction['deleteOptions']): Task<ApiResult<ApiObject>> {
    const eviction: Eviction = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { namespace, name },
      ...(deleteOptions === undefined ? {} : { deleteOptions }),
    };
    return this.resource(PODS).post(namespace, name, 'eviction', eviction);
  }
}
