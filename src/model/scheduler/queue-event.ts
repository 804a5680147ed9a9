import type { Node, Pod } from '../api/types.ts';

/** A change in the cluster that may let a refused pod be scheduled: upstream framework.ClusterEvent with its objects. */
export type QueueEvent =
  | { readonly kind: 'node'; readonly next: Node; readonly previous: Node | undefined }
  /** Pods with a node. */
  | { readonly kind: 'pod-added' | 'pod-deleted'; readonly pod: Pod }
  | { readonly kind: 'pod-updated'; readonly pod: Pod; readonly previous: Pod }
  /** Claims, volumes or classes changed. */
  | { readonly kind: 'volumes' };
