/** Upstream seatDemandSmoothingCoefficient: a spike is believed at once and forgotten slowly. */
const SMOOTHING = 0.977;

/**
 * How many seats a level would use over a period, from the moments at which that changed: upstream `fairqueuing/integrator.go` and
 * `seatDemandStats`. Times are microseconds.
 */
export class SeatDemand {
  #seats = 0;
  #max = 0;
  #since: number;
  #periodFrom: number;
  #area = 0;
  #squares = 0;
  /** Smoothed envelope of the demand. */
  smooth = 0;
  /** Highest demand of the last whole period. */
  high = 0;

  constructor(nowUs: number) {
    this.#since = nowUs;
    this.#periodFrom = nowUs;
  }

  get seats(): number {
    return this.#seats;
  }

  change(by: number, nowUs: number): void {
    this.#add(nowUs);
    this.#seats += by;
    if (this.#seats > this.#max) this.#max = this.#seats;
  }

  /** Ends a period and begins the next. */
  endPeriod(nowUs: number): void {
    this.#add(nowUs);
    const length = nowUs - this.#periodFrom;
    const average = length > 0 ? this.#area / length : this.#seats;
    const variance = length > 0 ? Math.max(0, this.#squares / length - average * average) : 0;
    const envelope = average + Math.sqrt(variance);
    this.smooth = Math.max(envelope, SMOOTHING * this.smooth + (1 - SMOOTHING) * envelope);
    this.high = this.#max;
    this.#max = this.#seats;
    this.#periodFrom = nowUs;
    this.#area = 0;
    this.#squares = 0;
  }

  #add(nowUs: number): void {
    const passed = nowUs - this.#since;
    if (passed > 0) {
      this.#area += this.#seats * passed;
      this.#squares += this.#seats * this.#seats * passed;
    }
    this.#since = nowUs;
  }
}
