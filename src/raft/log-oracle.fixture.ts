import { type Message, MsgApp } from './message.ts';
import { RawNode } from './rawnode.ts';
import { MemoryStorage } from './storage.ts';
import { emptyConfState, type NodeId, StateLeader } from './types.ts';

/**
 * What raft is to be taken for from outside: one log. Commands are put at its end once, members read it from the beginning, and what a
 * client was told to be in it stays in it. It knows nothing of terms, leaders, votes or quorums.
 */
export class LogOracle {
  readonly #log: string[] = [];
  readonly #read: number[];

  constructor(members: number) {
    this.#read = new Array<number>(members).fill(0);
  }

  get length(): number {
    return this.#log.length;
  }

  /** A member's state machine begins anew. */
  restarts(member: number): void {
    this.#read[member] = 0;
  }

  /** A member applies a command: the next one of the log, or one more at its end. */
  applies(member: number, command: string): string | undefined {
    const at = this.#read[member] as number;
    this.#read[member] = at + 1;
    if (at === this.#log.length) {
      if (this.#log.includes(command)) return `${command} is applied at ${at} and was at ${this.#log.indexOf(command)} before`;
      this.#log.push(command);
      return undefined;
    }
    return this.#log[at] === command ? undefined : `member ${member} applies ${command} at ${at}, the log holds ${this.#log[at]}`;
  }

  /** A client is told that its command is in. */
  acknowledges(command: string): string | undefined {
    return this.#log.includes(command) ? undefined : `${command} is acknowledged and is not in the log`;
  }
}

/** Ways in which a core, or its host, can be broken on purpose. */
export interface Breakage {
  /** Followers append whatever comes to the end of their log. */
  readonly skipsConsistencyCheck?: boolean;
  /** Hosts keep neither term nor vote. */
  readonly forgetsVote?: boolean;
  /** Hosts lose the last entry that they had acknowledged, when they crash. */
  readonly losesTail?: boolean;
  /** Leaders tell clients when they have appended, not when it is committed. */
  readonly acknowledgesEarly?: boolean;
}

interface Member {
  readonly storage: MemoryStorage;
  raw: RawNode;
  /** Commands that were proposed here and wait for their application. */
  readonly waiting: Set<string>;
}

/** What a run came to. */
export interface OracleRun {
  readonly wrong: string | undefined;
  readonly applied: number;
  readonly acknowledged: number;
}

const ACTIONS = 700;

/**
 * One random run of so many members against the oracle: campaigns, proposals, heartbeats and crashes at any moment, messages that are lost,
 * come twice or overtake each other. `seed` decides everything.
 */
export function runAgainstOracle(count: number, seed: number, breakage: Breakage = {}): OracleRun {
  return new Run(count, seed, breakage).go();
}

class Run {
  readonly #members: Member[];
  readonly #oracle: LogOracle;
  readonly #breakage: Breakage;
  #flight: Message[] = [];
  #random: number;
  #commands = 0;
  #acknowledged = 0;
  #wrong: string | undefined;

  constructor(count: number, seed: number, breakage: Breakage) {
    this.#random = (seed * 2_654_435_761) % 2_147_483_646 || 1;
    this.#breakage = breakage;
    this.#oracle = new LogOracle(count);
    const confState = { ...emptyConfState, voters: Array.from({ length: count }, (_, i) => i + 1) };
    this.#members = confState.voters.map((id) => {
      const storage = new MemoryStorage();
      storage.applySnapshot({ index: 1, term: 0, confState, data: undefined });
      storage.setHardState({ term: 0, vote: 0, commit: 1 });
      return { storage, raw: this.#start(id, storage), waiting: new Set() };
    });
  }

  #draw(bound: number): number {
    this.#random = (this.#random * 48_271) % 2_147_483_647;
    return this.#random % bound;
  }

  #start(id: NodeId, storage: MemoryStorage): RawNode {
    return new RawNode({ id, electionTicks: 10, heartbeatTicks: 1, storage, draw: (bound) => this.#draw(bound), bytesPerMessageMax: 20 });
  }

  go(): OracleRun {
    for (let action = 0; action < ACTIONS && this.#wrong === undefined; action++) {
      try {
        this.#act();
      } catch (error) {
        this.#wrong ??= `a broken invariant: ${(error as Error).message}`;
      }
    }
    return { wrong: this.#wrong, applied: this.#oracle.length, acknowledged: this.#acknowledged };
  }

  #act(): void {
    const dice = this.#draw(100);
    const at = this.#draw(this.#members.length);
    const member = this.#members[at] as Member;
    if (dice < 65) this.#deliver();
    else if (dice < 72) this.#flight.splice(this.#draw(Math.max(1, this.#flight.length)), 1);
    else if (dice < 76) member.raw.campaign();
    else if (dice < 90) this.#propose(at);
    else if (dice < 97) member.raw.tick();
    else this.#crash(at);
    this.#members.forEach((_, i) => this.#work(i));
  }

  #deliver(): void {
    if (this.#flight.length === 0) return;
    const at = this.#draw(this.#flight.length);
    const message = this.#flight[at] as Message;
    // One in eight comes again.
    if (this.#draw(8) > 0) this.#flight.splice(at, 1);
    (this.#members[message.to - 1] as Member).raw.step(this.#asTaken(message));
  }

  /** With the breakage a follower takes what comes as if it followed its own last entry. */
  #asTaken(message: Message): Message {
    if (this.#breakage.skipsConsistencyCheck !== true || message.type !== MsgApp || message.entries.length === 0) return message;
    const { raw } = this.#members[message.to - 1] as Member;
    const index = raw.lastIndex;
    if (message.index <= index || raw.state === StateLeader) return message;
    const entries = message.entries.map((entry, i) => ({ ...entry, index: index + 1 + i }));
    return { ...message, index, logTerm: raw.entryAt(index)?.term ?? 0, entries };
  }

  #propose(at: number): void {
    const { raw, waiting } = this.#members[at] as Member;
    // Forwarded proposals may arrive twice; etcd's transport forbids that, this network does not.
    if (raw.state !== StateLeader) return;
    const command = `c${++this.#commands}`;
    if (raw.propose(command, 8) !== undefined) return;
    if (this.#breakage.acknowledgesEarly === true) this.#acknowledge(command);
    else waiting.add(command);
  }

  #acknowledge(command: string): void {
    this.#acknowledged++;
    this.#wrong ??= this.#oracle.acknowledges(command);
  }

  #crash(at: number): void {
    const member = this.#members[at] as Member;
    const { storage } = member;
    const { hardState } = storage.initialState();
    if (this.#breakage.forgetsVote === true) {
      const { term } = { term: Math.max(0, storage.term(storage.lastIndex())) };
      storage.setHardState({ term, vote: 0, commit: hardState.commit });
    }
    if (this.#breakage.losesTail === true && storage.lastIndex() > hardState.commit) this.#loseLast(storage);
    member.raw = this.#start(at + 1, storage);
    member.waiting.clear();
    this.#oracle.restarts(at);
  }

  #loseLast(storage: MemoryStorage): void {
    const last = storage.lastIndex();
    const before = storage.entries(last - 1, last, Number.POSITIVE_INFINITY);
    // Appending at an existing position drops what follows.
    if (last - 1 >= storage.firstIndex() && before !== undefined) storage.append(before);
  }

  #work(at: number): void {
    const { raw, storage, waiting } = this.#members[at] as Member;
    while (raw.hasReady()) {
      const ready = raw.ready();
      if (ready.hardState !== undefined) storage.setHardState(ready.hardState);
      storage.append(ready.entries);
      this.#flight.push(...ready.messages);
      for (const { data } of ready.committedEntries) {
        if (typeof data !== 'string') continue;
        this.#wrong ??= this.#oracle.applies(at, data);
        if (waiting.delete(data)) this.#acknowledge(data);
      }
      raw.advance();
    }
  }
}
