import type { EndpointSlice } from '../api/types.ts';
import { objectKey } from '../client/reflector.ts';

export const serviceNameLabel = 'kubernetes.io/service-name';
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';

const deletionExpected = -1;

function serviceOf(slice: EndpointSlice): string {
  return `${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[serviceNameLabel] ?? ''}`;
}

/**
 * Remembers the generation of every slice that this controller wrote, so that it can tell its own writes from others' and notices when
 * its informer has not caught up with them yet. Upstream endpointslice/util/endpointslice_tracker.go.
 */
export class EndpointSliceTracker {
  readonly #byService = new Map<string, Map<string, number>>();

  has(slice: EndpointSlice): boolean {
    return this.#byService.get(serviceOf(slice))?.has(slice.metadata.uid ?? '') === true;
  }

  /** The slice is unknown or newer than what was written: somebody else changed it. */
  shouldSync(slice: EndpointSlice): boolean {
    const known = this.#byService.get(serviceOf(slice))?.get(slice.metadata.uid ?? '');
    return known === undefined || (slice.metadata.generation ?? 0) > known;
  }

  /** Whether this view of a service's slices is older than what was written. */
  isStale(service: string, slices: readonly EndpointSlice[]): boolean {
    const known = this.#byService.get(service);
    if (known === undefined) return false;
    const seen = new Map<string, number>();
    for (const slice of slices) {
      const uid = slice.metadata.uid ?? '';
      const generation = slice.metadata.generation ?? 0;
      seen.set(uid, generation);
      const written = known.get(uid);
      if (written === deletionExpected) {
        if (slice.metadata.deletionTimestamp === undefined) return true;
      } else if (written !== undefined && written > generation) return true;
    }
    for (const [uid, generation] of known) if (generation !== deletionExpected && !seen.has(uid)) return true;
    return false;
  }

  /** The slice as written. */
  update(slice: EndpointSlice): void {
    this.#of(serviceOf(slice)).set(slice.metadata.uid ?? '', slice.metadata.generation ?? 0);
  }

  expectDeletion(slice: EndpointSlice): void {
    this.#of(serviceOf(slice)).set(slice.metadata.uid ?? '', deletionExpected);
  }

  /** Takes a deletion in; true where it was expected. */
  deleted(slice: EndpointSlice): boolean {
    const known = this.#byService.get(serviceOf(slice));
    const generation = known?.get(slice.metadata.uid ?? '');
    known?.delete(slice.metadata.uid ?? '');
    return generation === deletionExpected;
  }

  forgetService(service: string): void {
    this.#byService.delete(service);
  }

  #of(service: string): Map<string, number> {
    let known = this.#byService.get(service);
    if (known === undefined) {
      known = new Map();
      this.#byService.set(service, known);
    }
    return known;
  }
}

/** Key of the service that a slice belongs to, or undefined. */
export function serviceKeyOf(slice: EndpointSlice): string | undefined {
  const name = slice.metadata.labels?.[serviceNameLabel];
  return name === undefined || name === '' ? undefined : objectKey({ ...slice, metadata: { ...slice.metadata, name } });
}
