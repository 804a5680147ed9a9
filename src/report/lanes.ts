import type { TraceFact, TraceNote } from '../harness/recorder.ts';
import type { Micros } from '../sim/time.ts';
import { type Actor, GROUPS } from './actors.ts';
import type { Lane, LaneState, LaneStateKind } from './document.ts';
import type { History } from './history.ts';

/** Lanes in drawing order. */
export function lanesOf(history: History, names: readonly string[]): readonly Lane[] {
  const { kubernetes } = history.input.cluster;
  const actors = [...new Set(names)].map((name) => history.actors.get(name));
  return actors
    .sort((a, b) => GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group) || compareNames(a, b, kubernetes))
    .map((actor) => ({
      id: actor.name,
      kind: actor.kind,
      group: actor.group,
      host: actor.group === 'Clients' ? 'Clients' : `Host ${actor.host}`,
      role: actor.group === 'Clients' ? 'client' : actor.host,
      states: statesOf(history, actor),
    }));
}

/** etcd's lanes are in reverse order below the API servers, so that api-2 and etcd-2 touch and one band covers both. */
function compareNames(a: Actor, b: Actor, reverseEtcd: boolean): number {
  const order = a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
  return reverseEtcd && a.group === 'etcd' ? -order : order;
}

interface Step {
  readonly atUs: Micros;
  readonly role?: { readonly state: LaneStateKind; readonly label: string; readonly term: number };
  readonly process?: 'up' | 'down' | 'paused';
  readonly quorum?: boolean;
}

/** What a program was over time: its role, and over it whether it ran at all and, for a leader, whether it could commit. */
export function statesOf(history: History, actor: Actor): readonly LaneState[] {
  const facts = history.factsOf.get(actor.name) ?? [];
  const notes = history.notesOf.get(actor.name) ?? [];
  const born = actor.kind === 'app' && (notes[0]?.atUs ?? 0) > 0;
  const steps: Step[] = [
    ...(born ? [{ atUs: 0, process: 'down' as const }] : []),
    ...facts.flatMap((fact) => stepOfFact(fact)),
    ...leaseSteps(history, actor),
    ...notes.flatMap((note) => stepOfNote(note)),
  ].sort((a, b) => a.atUs - b.atUs);
  const states: LaneState[] = [];
  let role: Step['role'];
  let process: NonNullable<Step['process']> = 'up';
  let quorum = true;
  let led = 0;
  steps.forEach((step, i) => {
    if (step.process !== undefined) {
      process = step.process;
      // What starts again has forgotten its role.
      if (process === 'down') role = undefined;
    }
    role = step.role ?? role;
    quorum = step.quorum ?? quorum;
    if (steps[i + 1]?.atUs === step.atUs) return;
    const at = { fromUs: step.atUs };
    if (process !== 'up') append(states, { ...at, state: process, label: process });
    else if (role === undefined) append(states, { ...at, state: 'up' });
    else if (role.state === 'leader' && !quorum) {
      append(states, {
        ...at,
        state: 'leader-without-quorum',
        label: role.label,
        ...(led === role.term ? { callout: `still ${role.label}, no quorum` } : {}),
      });
    } else {
      append(states, {
        ...at,
        state: role.state,
        label: role.label,
        ...(role.state === 'leader' && led !== role.term ? { callout: true } : {}),
      });
      led = role.state === 'leader' ? role.term : led;
    }
  });
  return states;
}

/** Puts a state at the end, closing the one before; equal neighbours become one. */
function append(states: LaneState[], next: LaneState): void {
  const last = states.at(-1);
  if (last !== undefined) {
    if (last.state === next.state && last.label === next.label) return;
    states[states.length - 1] = { ...last, toUs: next.fromUs };
  } else if (next.state === 'up' || next.fromUs > 0) {
    if (next.state === 'up') return;
  }
  states.push(next);
}

function stepOfFact(fact: TraceFact): readonly Step[] {
  if (fact.channel === 'memberQuorum') return [{ atUs: fact.atUs, quorum: fact.args[1] === true }];
  if (fact.channel === 'memberStart') return [{ atUs: fact.atUs, role: { state: 'no-leader', label: 'no leader', term: -1 } }];
  if (fact.channel !== 'raftRole') return [];
  const [, role, term, leader] = fact.args;
  const t = `t${String(term)}`;
  const follows = typeof leader === 'string' && leader !== '' && leader !== 'none';
  const state: LaneStateKind =
    role === 'leader' ? 'leader' : /candidate/.test(String(role)) ? 'candidate' : follows ? 'follower' : 'no-leader';
  const label =
    role === 'pre-candidate' ? `pre-candidate t${Number(term) + 1}` : state === 'no-leader' ? `no leader ${t}` : `${String(role)} ${t}`;
  return [{ atUs: fact.atUs, role: { state, label, term: Number(term) } }];
}

function stepOfNote(note: TraceNote): readonly Step[] {
  const process = { killed: 'down', exited: 'down', started: 'up', paused: 'paused', resumed: 'up' }[note.what] as Step['process'];
  return process === undefined ? [] : [{ atUs: note.atUs, process }];
}

/** Controllers and schedulers that hold their lease. */
function leaseSteps(history: History, actor: Actor): readonly Step[] {
  if (actor.group !== 'Controllers') return [];
  return (history.factsBy.get('leading') ?? [])
    .filter((fact) => history.actors.ofIdentity(String(fact.args[1]), String(fact.args[0])) === actor.name)
    .map((fact, i) => ({
      atUs: fact.atUs,
      role:
        fact.args[2] === true
          ? { state: 'leader' as const, label: 'holds the lease', term: i + 1 }
          : { state: 'up' as const, label: 'standby', term: 0 },
    }));
}
