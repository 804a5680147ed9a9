import type { ControllerRow } from './context.ts';

/** Every controller that the manager can run: one row each, started in this order. */
export const CONTROLLERS: readonly ControllerRow[] = [];
