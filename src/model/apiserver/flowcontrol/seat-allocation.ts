/** What a level should get, and what it gets at the least and at the most. */
export interface SeatClaim {
  readonly target: number;
  readonly low: number;
  readonly high: number;
}

/** Upstream MinTarget: nobody's target is nothing. */
const TARGET_MIN = 0.001;

/**
 * Divides `total` seats so that all levels get the same share of their targets, but for those that a bound stops: the one proportion p for
 * which the sum of clamp(p·target) is `total` (upstream `conc_alloc.go` computeConcurrencyAllocation). Where no p does it, the nearest.
 */
export function divideSeats(total: number, claims: readonly SeatClaim[]): readonly number[] {
  const target = (claim: SeatClaim): number => Math.max(claim.target, TARGET_MIN);
  const at = (p: number, claim: SeatClaim): number => Math.min(claim.high, Math.max(claim.low, p * target(claim)));
  const sum = (p: number): number => claims.reduce((all, claim) => all + at(p, claim), 0);
  // The sum is linear between the proportions at which a bound begins or ceases to matter.
  const bends = claims.flatMap((claim) => [claim.low / target(claim), claim.high / target(claim)]).sort((a, b) => a - b);
  let below = 0;
  for (const bend of bends) {
    if (sum(bend) < total) {
      below = bend;
      continue;
    }
    const from = sum(below);
    const rise = sum(bend) - from;
    const p = rise <= 0 ? bend : below + ((bend - below) * (total - from)) / rise;
    return claims.map((claim) => at(p, claim));
  }
  return claims.map((claim) => at(below, claim));
}
