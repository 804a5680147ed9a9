import { sha256 } from '../../api/sha256.ts';

/**
 * The hand of queues that a flow is dealt: upstream `flowcontrol/shufflesharding/dealer.go`. Two flows share their whole hand with
 * small probability only, so a flow that fills its queues leaves others at least one that is short.
 */
export function dealHand(schema: string, flow: string, queues: number, handSize: number): readonly number[] {
  let rest = flowHash(schema, flow);
  const hand: number[] = [];
  for (let i = 0; i < handSize; i++) {
    const left = BigInt(queues - i);
    // The card among those that are left, by its place; cards dealt before and not above it push it up.
    let card = Number(rest % left);
    rest /= left;
    for (const dealt of [...hand].sort((a, b) => a - b)) if (dealt <= card) card++;
    hand.push(card);
  }
  return hand;
}

/** Upstream hashFlowID: the first eight bytes of a SHA-256 over both names, the lowest first. */
function flowHash(schema: string, flow: string): bigint {
  const digest = sha256(`${schema}\u0000${flow}`);
  let hash = 0n;
  for (let i = 7; i >= 0; i--) hash = (hash << 8n) | BigInt(digest[i] ?? 0);
  return hash;
}
