import type { SequentialModel } from './model.ts';

/** A mutex, at first free: `acquire` needs it free, `release` needs it held. */
export const mutexModel: SequentialModel<boolean> = {
  name: 'mutex',
  initial: false,
  ignoresProcess: true,
  step(isHeld, { f, outcome }) {
    if (f !== 'acquire' && f !== 'release') throw new Error(`a mutex has no operation ${JSON.stringify(f)} (acquire, release)`);
    const wantsHeld = f === 'acquire';
    if (outcome === 'unknown') return wantsHeld;
    return isHeld === wantsHeld ? undefined : wantsHeld;
  },
  keyOf: String,
};
