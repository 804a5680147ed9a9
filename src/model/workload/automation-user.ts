import type { UserInfo } from '../api/request.ts';

/** Who pipelines and operators outside the cluster are. */
export const AUTOMATION: UserInfo = { name: 'automation', groups: ['system:masters', 'system:authenticated'] };
