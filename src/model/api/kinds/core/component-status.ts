import type { ComponentStatus } from '../../types.ts';
import { columns } from '../columns.ts';
import { defineKind } from '../define.ts';

/** The health of the server's own parts: computed, never stored. Upstream: pkg/registry/core/componentstatus. */
const cell =
  (key: 'message' | 'error') =>
  (object: ComponentStatus): string =>
    object.conditions?.find((c) => c.type === 'Healthy')?.[key] ?? '';

export const componentStatus = defineKind<ComponentStatus>('v1', 'componentstatuses', {
  columns: columns<ComponentStatus>('componentstatuses', [
    [
      'Status',
      'string',
      ({ conditions }) => {
        const status: string = conditions?.find((c) => c.type === 'Healthy')?.status ?? 'Unknown';
        return status === 'True' ? 'Healthy' : status === 'False' ? 'Unhealthy' : 'Unknown';
      },
    ],
    ['Message', 'string', cell('message')],
    ['Error', 'string', cell('error')],
  ]),
});
