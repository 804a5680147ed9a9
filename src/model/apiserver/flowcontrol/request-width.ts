import type { ApiRequest } from '../../api/request.ts';

/** Upstream `flowcontrol/request/config.go`. */
const SEATS_MAX = 10;
const OBJECTS_PER_SEAT = 100;
const WATCHES_PER_SEAT = 10;
/** Upstream eventAdditionalDuration. */
const EVENT_EXTRA_US = 5_000;

export interface StoredCounts {
  /** Objects of the request's kind in the cache; undefined where it is not known. */
  readonly objects: number | undefined;
  /** Watches that would be told of a change of this object's kind. */
  readonly watches: number;
}

/** How many seats a request takes, and how long it keeps `lastSeats` of them after its answer, for the events that it causes. */
export interface RequestWidth {
  readonly seats: number;
  readonly lastSeats: number;
  readonly extraUs: number;
}

const one: RequestWidth = { seats: 1, lastSeats: 0, extraUs: 0 };

/**
 * Upstream list_work_estimator.go (by the number of objects: average sizes are not modelled) and mutating_work_estimator.go.
 * `seatsMax` is the most that the level gives one request.
 */
export function requestWidth(request: ApiRequest, counts: StoredCounts, seatsMax: number): RequestWidth {
  const most = Math.min(SEATS_MAX, seatsMax);
  switch (request.verb) {
    case 'get':
      return one;
    case 'watch':
      return request.options?.sendInitialEvents === true ? listWidth(request, counts, most) : one;
    case 'list':
      return listWidth(request, counts, most);
    default:
      return changeWidth(counts, most);
  }
}

function listWidth(request: ApiRequest, { objects }: StoredCounts, most: number): RequestWidth {
  const { fieldSelector = '', labelSelector = '', limit = 0, resourceVersion = '', resourceVersionMatch = '' } = request.options ?? {};
  if (objects === undefined || request.name !== undefined || /(^|,)metadata\.name=/.test(fieldSelector)) return one;
  const limited = limit > 0 && limit < objects ? limit : objects;
  const isFromCache = resourceVersionMatch !== 'Exact' && (limit === 0 || resourceVersion === '0');
  const processed = isFromCache ? objects : fieldSelector !== '' || labelSelector !== '' ? objects + limited : 2 * limited;
  const seats = Math.max(1, Math.min(most, Math.ceil(processed / OBJECTS_PER_SEAT)));
  return seats === 1 ? one : { seats, lastSeats: 0, extraUs: 0 };
}

function changeWidth({ watches }: StoredCounts, most: number): RequestWidth {
  if (watches < WATCHES_PER_SEAT) return one;
  const wanted = Math.ceil(watches / WATCHES_PER_SEAT);
  const lastSeats = Math.min(wanted, most);
  // The work is kept when the seats are capped.
  return { seats: Math.max(1, lastSeats), lastSeats, extraUs: Math.round((EVENT_EXTRA_US * wanted) / lastSeats) };
}
