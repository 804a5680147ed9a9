import type { TrialInput } from './trial-input.ts';

/** What this build simulates; a trial file made by another build says so when it is replayed. */
export const VERSIONS: TrialInput['versions'] = { seatrial: '0.1.0', kubernetes: '1.35', etcd: '3.6' };
