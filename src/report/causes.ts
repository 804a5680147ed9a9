import type { TraceFact, TraceMessage, TraceNote } from '../harness/recorder.ts';
import {
  MsgApp,
  MsgAppResp,
  MsgHeartbeat,
  MsgHeartbeatResp,
  MsgPreVote,
  MsgPreVoteResp,
  MsgProp,
  MsgReadIndex,
  MsgReadIndexResp,
  MsgVote,
  MsgVoteResp,
} from '../raft/message.ts';
import { MILLISECOND, type Micros, SECOND } from '../sim/time.ts';
import type { FaultMoments } from './fault-moments.ts';
import { type History, lastAt } from './history.ts';
import { frameOf, isRaft } from './message-labels.ts';
import { type FaultMoment, isFact, isFault, isMessage, isWitness, lossOf, type Moment } from './moment.ts';
import { podCauses } from './pod-causes.ts';
import { raftOf } from './raft-labels.ts';

/** Work that follows an arrival at once: the time a program takes to act on a message, with room for a busy CPU. */
const REACTION_US = 5 * MILLISECOND;
/** How far back a list is searched for a cause. */
const SEARCH_MAX = 400;

/** Where the search backwards ends: a run's whole history is behind everything. */
const BEHIND_MAX = 500;

/** Which request a response of raft answers. */
const ANSWERS: ReadonlyMap<number, number> = new Map([
  [MsgAppResp, MsgApp],
  [MsgVoteResp, MsgVote],
  [MsgPreVoteResp, MsgPreVote],
  [MsgHeartbeatResp, MsgHeartbeat],
  [MsgReadIndexResp, MsgReadIndex],
]);

/** Finds what a moment came from: the message that a process acted on, the state it was in, the fault that did it. All are earlier. */
export class Causes {
  readonly #history: History;
  readonly #faults: FaultMoments;
  readonly #known = new Map<Moment, readonly Moment[]>();

  constructor(history: History, faults: FaultMoments) {
    this.#history = history;
    this.#faults = faults;
  }

  of(moment: Moment): readonly Moment[] {
    const known = this.#known.get(moment);
    if (known !== undefined) return known;
    const found = isMessage(moment)
      ? this.#ofMessage(moment)
      : isFact(moment)
        ? this.#ofFact(moment)
        : isFault(moment)
          ? this.#ofFault(moment)
          : isWitness(moment)
            ? moment.behind
            : this.#ofNote(moment);
    const causes = [...new Set(found.filter((cause) => cause !== undefined && cause !== moment))] as readonly Moment[];
    this.#known.set(moment, causes);
    return causes;
  }

  /** The moments and everything that they came from. */
  behind(moments: readonly Moment[]): ReadonlySet<Moment> {
    // A set is walked in the order of insertion while it grows: nearest causes first.
    const behind = new Set<Moment>(moments);
    for (const moment of behind) {
      if (behind.size >= BEHIND_MAX) break;
      for (const cause of this.of(moment)) behind.add(cause);
    }
    return behind;
  }

  #ofMessage(message: TraceMessage): readonly (Moment | undefined)[] {
    const loss = lossOf(this.#history, message);
    const lost = loss?.faultId === undefined ? [] : [this.#faults.injection(loss.faultId)];
    return [...lost, ...(isRaft(message) ? this.#ofRaft(message) : this.#ofFrame(message))];
  }

  #ofRaft(message: TraceMessage): readonly (Moment | undefined)[] {
    const from = this.#history.from(message);
    const m = raftOf(message);
    const answered = ANSWERS.get(m.type);
    if (answered !== undefined) {
      const to = this.#history.to(message);
      return [
        this.#history.lastArrival(from, message.sentAtUs, (x) => isRaft(x) && raftOf(x).type === answered && this.#history.from(x) === to),
      ];
    }
    switch (m.type) {
      case MsgVote:
      case MsgPreVote:
        return [this.#history.lastFact(from, message.sentAtUs, (f) => f.channel === 'raftRole' && /candidate/.test(String(f.args[1])))];
      case MsgHeartbeat:
        return [this.#leaderFact(from, m.term, message.sentAtUs)];
      case MsgApp: {
        const data = m.entries[0]?.data;
        return [
          data === undefined ? undefined : this.#proposalOf(data, from, message.sentAtUs),
          this.#leaderFact(from, m.term, message.sentAtUs),
        ];
      }
      case MsgProp:
        return [this.#proposalOf(m.entries[0]?.data, from, message.sentAtUs)];
      default:
        return [this.#history.lastArrival(from, message.sentAtUs, () => true, REACTION_US)];
    }
  }

  /** The message with which a proposal came to a member: the client's call or another member's forwarding. */
  #proposalOf(data: unknown, member: string, beforeUs: Micros): TraceMessage | undefined {
    const request = (data as { readonly request?: unknown } | undefined)?.request;
    return this.#history.lastArrival(member, beforeUs, (x) => {
      if (isRaft(x)) return raftOf(x).type === MsgProp && raftOf(x).entries[0]?.data === data;
      const body = frameOf(x)?.body as { readonly request?: unknown } | undefined;
      return request !== undefined && body?.request === request;
    });
  }

  #leaderFact(member: string, term: number, beforeUs: Micros): TraceFact | undefined {
    return this.#history.lastFact(member, beforeUs, (f) => f.channel === 'raftLeader' && f.args[1] === term);
  }

  #ofFrame(message: TraceMessage): readonly (Moment | undefined)[] {
    const history = this.#history;
    const from = history.from(message);
    const frame = frameOf(message);
    const call = history.callOf(message);
    if (frame?.t === 'answer' && call !== undefined) {
      const arrived = call.deliveredAtUs ?? call.sentAtUs;
      const completing = this.#history.lastArrival(
        from,
        message.sentAtUs,
        (x) => (isRaft(x) || frameOf(x)?.t === 'answer') && (x.deliveredAtUs ?? 0) > arrived,
        MILLISECOND,
      );
      return [call, completing, ...this.#lostSince(from, arrived, message.sentAtUs), this.#ledThen(from, message.sentAtUs)];
    }
    if (frame?.t === 'call' || frame?.t === 'open') {
      if (history.actors.get(from).kind === 'client') return [];
      return [this.#history.lastArrival(from, message.sentAtUs, (x) => frameOf(x) !== undefined, REACTION_US)];
    }
    return [this.#history.lastArrival(from, message.sentAtUs, () => true, REACTION_US)];
  }

  /** The election that a member's answer rests on, if it believed that it led. */
  #ledThen(member: string, atUs: Micros): TraceFact | undefined {
    const role = this.#history.lastFact(member, atUs, (f) => f.channel === 'raftRole' || f.channel === 'memberStart');
    return role?.args[1] === 'leader' ? this.#leaderFact(member, Number(role.args[2]), atUs) : undefined;
  }

  /** What a server sent in vain while it worked on a call, else just before: one message to each receiver. */
  #lostSince(server: string, fromUs: Micros, toUs: Micros): readonly TraceMessage[] {
    const sent = this.#history.departures.get(server) ?? [];
    const found = new Map<string, TraceMessage>();
    const earliest = Math.min(fromUs, toUs - SECOND / 2);
    for (let i = lastAt(sent, toUs + MILLISECOND, (x) => x.sentAtUs); i >= 0 && found.size < 3; i--) {
      const message = sent[i] as TraceMessage;
      if (message.sentAtUs < earliest) break;
      if (!isRaft(message) || lossOf(this.#history, message) === undefined || message.sentAtUs > toUs) continue;
      const to = this.#history.to(message);
      if (!found.has(to)) found.set(to, message);
    }
    return [...found.values()];
  }

  #ofFact(fact: TraceFact): readonly (Moment | undefined)[] {
    const [member, second, third] = fact.args;
    const subject = String(member);
    const term = Number(second);
    switch (fact.channel) {
      case 'raftRole':
        if (second === 'leader') return this.#votes(subject, Number(third), fact.atUs);
        return second === 'follower' ? this.#stepDown(subject, fact.atUs) : this.#silence(subject, fact.atUs);
      case 'raftLeader':
        return this.#votes(subject, term, fact.atUs);
      case 'raftVote':
        return [
          this.#history.lastArrival(
            subject,
            fact.atUs,
            (x) => isRaft(x) && raftOf(x).type === MsgVote && raftOf(x).term === term && this.#history.from(x) === third,
          ),
          this.#history.lastStart(subject, fact.atUs),
        ];
      case 'raftAppend': {
        const index = Number(second);
        return [
          this.#history.lastArrival(
            subject,
            fact.atUs,
            (x) => isRaft(x) && raftOf(x).type === MsgApp && raftOf(x).entries.some((e) => e.index === index),
          ) ?? this.#history.lastArrival(subject, fact.atUs, () => true, REACTION_US),
        ];
      }
      case 'raftTruncate':
        return [
          this.#history.lastArrival(subject, fact.atUs, (x) => isRaft(x) && raftOf(x).type === MsgApp && raftOf(x).entries.length > 0),
        ];
      case 'raftCommit':
      case 'raftApply':
        return [this.#history.lastArrival(subject, fact.atUs, (x) => isRaft(x), SECOND), this.#history.lastStart(subject, fact.atUs)];
      case 'memberQuorum':
      case 'nodeReachable':
        return this.#faults.at(fact.atUs);
      case 'memberStart':
        return [this.#history.lastRestart(subject, fact.atUs)];
      default: {
        const pods = podCauses(this.#history, fact);
        return pods.length > 0
          ? pods
          : [this.#history.lastArrival(this.#history.actors.standingFor(subject) ?? subject, fact.atUs, () => true, REACTION_US)];
      }
    }
  }

  /** The granted votes that made a leader, and its candidacy. */
  #votes(member: string, term: number, atUs: Micros): readonly (Moment | undefined)[] {
    return [
      this.#history.lastArrival(
        member,
        atUs,
        (x) => isRaft(x) && raftOf(x).type === MsgVoteResp && raftOf(x).term === term && !raftOf(x).reject,
      ),
      this.#history.lastFact(member, atUs, (f) => f.channel === 'raftRole' && f.args[1] === 'candidate'),
    ];
  }

  /** Why a member campaigns: the heartbeats that it was to get and did not, or the end of its leader. */
  #silence(member: string, atUs: Micros): readonly (Moment | undefined)[] {
    const before = this.#history.lastFact(member, atUs - 1, (f) => f.channel === 'raftRole');
    if (before !== undefined && /candidate/.test(String(before.args[1]))) return [before];
    const leader = before === undefined ? undefined : String(before.args[3] ?? '');
    if (leader === undefined || !this.#history.actors.has(leader)) return [this.#history.lastRestart(member, atUs)];
    const sent = this.#history.departures.get(leader) ?? [];
    for (let i = lastAt(sent, atUs, (x) => x.sentAtUs), n = 0; i >= 0 && n < SEARCH_MAX; i--, n++) {
      const message = sent[i] as TraceMessage;
      if (this.#history.to(message) === member && isRaft(message) && lossOf(this.#history, message) !== undefined)
        return [message, this.#history.lastDeath(leader, atUs)];
    }
    return [this.#history.lastDeath(leader, atUs)];
  }

  /** Why a leader stopped leading: a higher term that it heard of; else nobody answered it. */
  #stepDown(member: string, atUs: Micros): readonly (Moment | undefined)[] {
    return [this.#history.lastArrival(member, atUs, (x) => isRaft(x), REACTION_US)];
  }

  /** A healing ends what the fault began, and starts again what died of it. */
  #ofFault({ moment, effect, atUs }: FaultMoment): readonly (Moment | undefined)[] {
    if (moment === 'inject') return [];
    const last = effect.kind.startsWith('crash-at-') ? this.#history.lastDeath(effect.lanes[0] ?? '', atUs) : undefined;
    const died = last?.what === 'killed' && last.atUs >= effect.injectedAtUs ? last : undefined;
    return [this.#faults.injection(effect.id), died];
  }

  #ofNote(note: TraceNote): readonly (Moment | undefined)[] {
    const program = note.process === '*' ? (this.#history.actors.programsOf(note.host)[0] ?? note.host) : note.process;
    const faults = this.#faults.at(note.atUs).filter(({ effect }) => effect.lanes.includes(program) || effect.lanes.includes(note.host));
    if (note.what === 'exited') {
      // A program that gives up by itself, as etcd does when its disk is full.
      const disk = this.#faults.all.findLast(
        ({ moment, effect, atUs }) =>
          moment === 'inject' && atUs <= note.atUs && effect.kind.startsWith('disk') && effect.lanes.includes(note.host),
      );
      return [...faults, /space|disk|sync/.test(note.detail) ? disk : undefined];
    }
    if (note.what !== 'started' && note.what !== 'resumed') return faults.length > 0 ? faults : [this.#faults.armedOn(program, note.atUs)];
    return [this.#history.lastDeath(program, note.atUs - 1), ...faults];
  }
}
