/** What a person asked of the cluster, as somebody sees it who asks later what came of it. */
export interface Errand {
  /** How much of it the cluster has taken: 0 while it is refused or unanswered. An order that asks for what is so already is taken too. */
  readonly taken: number;
}

/** The side of the one who runs it. */
export class RunningErrand implements Errand {
  taken = 0;
}
