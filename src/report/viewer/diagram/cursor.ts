import type { MoveCursor } from '../keys.ts';

/** How `←` and `→` move the time cursor; set by the diagram, which knows where time is folded. */
export const cursorMover: { current: MoveCursor } = { current: () => {} };
