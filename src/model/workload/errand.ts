/** What a person asked of the cluster, as somebody sees it who asks later what came of it. */
export interface Errand {
  /** Changes that the cluster has taken because of it: 0 while it is refused or unanswered, or where there was nothing to do. */
  readonly taken: number;
}

/** The side of the one who runs it. */
export class RunningErrand implements Errand {
  taken = 0;
}
