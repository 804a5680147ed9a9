import type { LeaseId } from '../api.ts';

/** What the store tells the lessor: which keys hang on which lease. */
export interface LeaseAttachments {
  attach(lease: LeaseId, key: string): void;
  detach(lease: LeaseId, key: string): void;
}
