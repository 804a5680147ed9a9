import type { ApiObject } from '../api/object.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../api/types.ts';

function version(object: ApiObject): number {
  return Number(object.metadata.resourceVersion ?? '0');
}

/**
 * Claims and volumes as this scheduler has decided them to become, until its informers have caught up: upstream AssumeCache.
 * Without it the next pod would be given the same volume.
 */
export class VolumeAssumptions {
  readonly #claims = new Map<string, PersistentVolumeClaim>();
  readonly #volumes = new Map<string, PersistentVolume>();

  assumeClaim(claim: PersistentVolumeClaim): void {
    this.#claims.set(claim.metadata.uid ?? '', claim);
  }

  assumeVolume(volume: PersistentVolume): void {
    this.#volumes.set(volume.metadata.uid ?? '', volume);
  }

  forget(uid: string): void {
    this.#claims.delete(uid);
    this.#volumes.delete(uid);
  }

  claim(seen: PersistentVolumeClaim | undefined): PersistentVolumeClaim | undefined {
    return newest(this.#claims, seen);
  }

  volume(seen: PersistentVolume | undefined): PersistentVolume | undefined {
    return newest(this.#volumes, seen);
  }
}

/** An assumption made at a version holds until the informer shows a later one. */
function newest<T extends ApiObject>(assumed: Map<string, T>, seen: T | undefined): T | undefined {
  if (seen === undefined || assumed.size === 0) return seen;
  const uid = seen.metadata.uid ?? '';
  const assumption = assumed.get(uid);
  if (assumption === undefined) return seen;
  if (version(seen) <= version(assumption)) return assumption;
  assumed.delete(uid);
  return seen;
}
