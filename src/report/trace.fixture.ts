/** Traces and trials for tests: made by hand, fact by fact, so that a test says all that it depends on. */
import type { Trace, TraceFact, TraceMessage, TraceNote } from '../harness/recorder.ts';
import type { TrialFile } from '../harness/trial-file.ts';
import { TRIAL_FORMAT_VERSION, type TrialInput } from '../harness/trial-input.ts';
import type { TrialResult, Violation } from '../harness/trial-result.ts';
import type { FaultEffect } from '../harness/plan.ts';
import { allFactChannels, createFacts, type FactValue } from '../model/facts.ts';

const FIELDS = new Map(allFactChannels(createFacts()).map((channel) => [channel.name, channel.fields]));

export const us = (seconds: number): number => Math.round(seconds * 1e6);

/** A fact at a time in seconds. */
export function fact(seconds: number, channel: string, ...args: readonly FactValue[]): TraceFact {
  const fields = FIELDS.get(channel);
  if (fields === undefined) throw new Error(`no channel ${channel}`);
  return { atUs: us(seconds), channel, fields, args };
}

export function note(seconds: number, host: string, process: string, what: string, detail = ''): TraceNote {
  return { atUs: us(seconds), host, process, what, detail };
}

/** A message between two programs: `etcd-0@cp-0`. Lost when `arrived` is a reason. */
export function message(
  id: number,
  sent: number,
  from: string,
  to: string,
  payload: unknown,
  arrived: number | 'partition' | 'loss',
): TraceMessage {
  return {
    id,
    sentAtUs: us(sent),
    from,
    to,
    kind: typeof (payload as { type?: unknown }).type === 'number' ? 'datagram' : 'data',
    payload,
    deliveredAtUs: typeof arrived === 'number' ? us(arrived) : undefined,
    drop: typeof arrived === 'number' ? undefined : { atUs: us(sent), reason: arrived },
  };
}

/** A raft message with the fields that matter. */
export function raft(type: number, fields: object = {}): object {
  return {
    type,
    to: 0,
    from: 0,
    term: 0,
    logTerm: 0,
    index: 0,
    commit: 0,
    entries: [],
    reject: false,
    rejectHint: 0,
    context: 0,
    vote: 0,
    responses: [],
    ...fields,
  };
}

export function traceOf(parts: Partial<Trace>): Trace {
  return { messages: [], facts: [], notes: [], messagesOmitted: 0, ...parts };
}

export function inputOf(fields: Partial<TrialInput> = {}): TrialInput {
  return {
    formatVersion: TRIAL_FORMAT_VERSION,
    scenario: 'test',
    seed: '0x1',
    versions: { seatrial: '0.1.0', kubernetes: '1.35', etcd: '3.6' },
    cluster: { preset: 'store', kubernetes: false, controlPlanes: 3, workers: 0, zones: 3 },
    featureGates: {},
    defects: [],
    manifests: [],
    workload: { traffic: [], store: null },
    swarm: { tiePolicy: { kind: 'fifo' } },
    timing: { applyAtMs: 1000, chaosFromMs: 2000, healAtMs: 8000, settleMs: 60_000 },
    faults: [],
    operations: [],
    core: { outside: [] },
    require: [],
    ...fields,
  };
}

export function resultOf(fields: Partial<TrialResult> = {}): TrialResult {
  return {
    status: 'passed',
    properties: [],
    violations: [],
    digest: '0123456789abcdef',
    checkpoints: [],
    events: 1000,
    endUs: us(60),
    healedAtUs: us(8),
    effects: [],
    notes: [],
    ...fields,
  };
}

export function violated(violation: Violation, effects: readonly FaultEffect[] = []): TrialResult {
  return resultOf({
    status: 'violated',
    violations: [violation],
    effects,
    properties: [{ property: violation.property, verdict: 'violated', exercised: 3, reason: violation.witness.clause }],
  });
}

export function trialOf(input: TrialInput, result: TrialResult): TrialFile {
  const first = result.violations[0];
  const signature = first === undefined ? null : { property: first.property, clause: first.witness.clause };
  return { id: 't-test', input, expect: { status: result.status, signature, digest: result.digest, checkpoints: [] } };
}
