import type { ActorKind } from './document.ts';
import type { Moment } from './moment.ts';

/** A sentence that may be told, and how much the story needs it. */
export interface Draft {
  readonly moment: Moment;
  readonly icon: ActorKind;
  readonly text: string;
  readonly need: number;
  readonly also?: readonly Moment[];
}
