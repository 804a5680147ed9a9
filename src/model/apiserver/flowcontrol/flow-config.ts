import type { FlowSchema, PriorityLevelConfiguration } from '../../api/types.ts';
import { compiledSchema, type FlowRules } from './flow-rules.ts';

/** How requests of a level wait; absent: what finds no seat is rejected. */
export interface Queuing {
  readonly queues: number;
  readonly handSize: number;
  readonly queueLengthLimit: number;
}

/** A PriorityLevelConfiguration in numbers. */
export interface LevelConfig {
  readonly name: string;
  /** Requests run at once, whatever the load; their seats are only counted. */
  readonly isExempt: boolean;
  readonly shares: number;
  readonly lendablePercent: number;
  /** Undefined: it may borrow all that others lend. */
  readonly borrowingLimitPercent: number | undefined;
  readonly queuing: Queuing | undefined;
}

/** All that decides where a request goes: the schemas in order of precedence, and the levels they lead to. */
export interface FlowConfig {
  readonly schemas: readonly FlowRules[];
  readonly levels: ReadonlyMap<string, LevelConfig>;
}

/** Upstream defaults of `pkg/apis/flowcontrol/v1/defaults.go`, for objects that come without. */
const QUEUING_DEFAULT: Queuing = { queues: 64, handSize: 8, queueLengthLimit: 50 };
const SHARES_DEFAULT = 30;

function levelOf(object: PriorityLevelConfiguration): LevelConfig {
  const name = object.metadata.name ?? '';
  const { type, exempt, limited } = object.spec ?? {};
  const isExempt = type === 'Exempt';
  const part = isExempt ? exempt : limited;
  const response = limited?.limitResponse;
  return {
    name,
    isExempt,
    shares: part?.nominalConcurrencyShares ?? (isExempt ? 0 : SHARES_DEFAULT),
    lendablePercent: part?.lendablePercent ?? 0,
    borrowingLimitPercent: limited?.borrowingLimitPercent,
    queuing: isExempt || response?.type !== 'Queue' ? undefined : { ...QUEUING_DEFAULT, ...response.queuing },
  };
}

/**
 * Reads the objects as they are now. A schema that leads to a level that does not exist (a dangling one) counts as absent, and the two
 * mandatory levels are there whether somebody stored them or not (upstream `apf_controller.go` digestConfigObjects).
 */
export function flowConfig(schemas: readonly FlowSchema[], levels: readonly PriorityLevelConfiguration[]): FlowConfig {
  const byName = new Map<string, LevelConfig>();
  for (const level of levels) byName.set(level.metadata.name ?? '', levelOf(level));
  if (!byName.has('exempt')) byName.set('exempt', EXEMPT);
  if (!byName.has('catch-all')) byName.set('catch-all', CATCH_ALL);
  const rules = schemas.filter((schema) => byName.has(schema.spec?.priorityLevelConfiguration?.name ?? '')).map(compiledSchema);
  for (const mandatory of MANDATORY) if (!rules.some(({ name }) => name === mandatory.name)) rules.push(mandatory);
  rules.sort((a, b) => a.precedence - b.precedence || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return { schemas: rules, levels: byName };
}

const EXEMPT: LevelConfig = {
  name: 'exempt',
  isExempt: true,
  shares: 0,
  lendablePercent: 0,
  borrowingLimitPercent: undefined,
  queuing: undefined,
};

const CATCH_ALL: LevelConfig = {
  name: 'catch-all',
  isExempt: false,
  shares: 5,
  lendablePercent: 0,
  borrowingLimitPercent: undefined,
  queuing: undefined,
};

/** Upstream bootstrap.MandatoryFlowSchemas: in force before anything has been read. */
const MANDATORY: readonly FlowRules[] = [
  {
    name: 'exempt',
    level: 'exempt',
    precedence: 1,
    distinguisher: undefined,
    matches: ({ user }) => user.groups.includes('system:masters'),
  },
  { name: 'catch-all', level: 'catch-all', precedence: 10_000, distinguisher: 'ByUser', matches: () => true },
];
