import { controllerUid, text } from './fields.ts';

/** What CronJobs make, by the store: they never rest, and that is their purpose. */
export class CronWork {
  readonly #cronJobs = new Set<string>();
  readonly #jobs = new Set<string>();
  readonly #pods = new Set<string>();

  /** True for a CronJob, its Jobs and their pods. Must be told of every change. */
  isPart(key: string, object: object | undefined): boolean {
    if (key.startsWith('/registry/cronjobs/')) {
      if (object !== undefined) this.#cronJobs.add(text(object, 'metadata', 'uid'));
      return true;
    }
    if (key.startsWith('/registry/jobs/')) return part(this.#jobs, this.#cronJobs, key, object);
    if (!key.startsWith('/registry/pods/')) return false;
    return part(this.#pods, this.#jobs, key, object);
  }
}

/** Known by its key (a deletion shows no object) or by its owner. Owners are kept by uid, owned objects by uid and key. */
function part(own: Set<string>, owners: ReadonlySet<string>, key: string, object: object | undefined): boolean {
  if (object === undefined) return own.has(key);
  if (!owners.has(controllerUid(object))) return false;
  own.add(key);
  own.add(text(object, 'metadata', 'uid'));
  return true;
}
