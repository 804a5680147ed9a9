import { Judge } from '../src/harness/judge.ts';
import { createFacts, type Facts } from '../src/model/facts.ts';
import { etcdConfig, walPrefix } from '../src/model/etcd/server/config.ts';
import { RaftDriver } from '../src/model/etcd/server/raft-driver.ts';
import { Wal } from '../src/model/etcd/server/wal.ts';
import type { Message } from '../src/raft/message.ts';
import { MemoryStorage } from '../src/raft/storage.ts';
import { type ConfChange, type Entry, EntryNormal } from '../src/raft/types.ts';
import type { Process } from '../src/sim/process.ts';
import { SECOND } from '../src/sim/time.ts';
import { World } from '../src/sim/world.ts';

const ENTRY_BYTES = 128;
const COMPACT_EVERY = 5000;

interface Member {
  readonly process: Process;
  readonly raft: RaftDriver;
  readonly wal: Wal;
  applied: number;
  compacted: number;
}

/** etcd's raft loop and log on simulated hosts, without the store above it; the payload of an entry is its number. */
export class SimRaft {
  readonly world = new World({ seed: 'raft' });
  readonly #members: Member[] = [];
  readonly #facts: Facts = createFacts();
  readonly #judge: Judge;
  readonly #size: number;
  readonly #inFlight: number;
  #proposed = 0;
  /** Proposals that every member has applied. */
  #committed = 0;
  #target = 0;
  #leader: Member | undefined;
  readonly #refilling = (): void => this.#refill();
  #told = 0;

  constructor(size: number, inFlight: number) {
    this.#size = size;
    this.#inFlight = inFlight;
    const names = Array.from({ length: size }, (_, i) => `etcd-${i}`);
    this.#judge = new Judge(this.#facts, this.world, names, false);
    const hosts = names.map((_, i) => this.world.addHost({ name: `host-${i}`, zone: `zone-${i}` }));
    hosts.forEach((host, i) => host.install({ name: names[i] as string, start: (process) => this.#start(process, i) }));
  }

  /** Runs until there is a leader. */
  elect(): void {
    this.world.run(this.world.now + 10 * SECOND);
    if (this.#leader === undefined) throw new Error('no leader after ten virtual seconds');
  }

  /** Commits and applies so many more proposals everywhere. */
  commit(count: number): number {
    this.#target += count;
    const { process } = this.#leader as Member;
    process.deliver(0, 0, this.#refilling, undefined, undefined);
    while (this.#committed < this.#target) this.world.run(this.world.now + SECOND / 100);
    if (this.#judge.violations.length > 0) throw new Error(`${this.#judge.violations[0]?.property} is violated`);
    return count;
  }

  #start(process: Process, index: number): void {
    const { network } = this.world;
    const name = `etcd-${index}`;
    const config = etcdConfig({
      name,
      peerURL: '',
      clientURL: '',
      initialCluster: [],
      facts: this.#facts,
      told: { revision: 1, compacted: 0 },
    });
    const wal = new Wal(process, walPrefix(config), { forgetsVote: false, resurrectsTruncated: false, syncsLate: false });
    wal.create({ memberId: index + 1, clusterId: 1 });
    const storage = new MemoryStorage();
    const endpoints = Array.from({ length: this.#size }, (_, i) => network.endpoint(`host-${i}`, 'raft'));
    const raft: RaftDriver = new RaftDriver(process, config, index + 1, storage, wal, {
      leaderChanged: (isLeader) => {
        if (isLeader) this.#leader = member;
      },
      readState: () => undefined,
      toApply: (entries) => this.#apply(member, name, entries),
      whenApplied: (_index, done) => done(),
      saveSnapshot: (_snapshot, done) => done(),
      snapshotSaved: () => undefined,
      send: (messages) => {
        for (let i = 0; i < messages.length; i++) {
          const message = messages[i] as Message;
          const endpoint = endpoints[message.to - 1] as (typeof endpoints)[number];
          network.send(process, endpoint, message, 64 + ENTRY_BYTES * message.entries.length, true);
        }
      },
      nameOf: (id) => `etcd-${id - 1}`,
      sendSnapshot: () => undefined,
    });
    const member: Member = { process, raft, wal, applied: 0, compacted: 0 };
    this.#members.push(member);
    network.listen(process, `host-${index}`, 'raft', { onDatagram: (payload) => raft.receive(payload as Message) });
    raft.node.bootstrap(Array.from({ length: this.#size }, (_, i) => ({ id: i + 1 })));
    raft.start(0);
  }

  #apply(member: Member, name: string, entries: readonly Entry[]): void {
    const facts = this.#facts;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as Entry;
      if (entry.type !== EntryNormal) {
        member.raft.applyConfChange(entry.data as ConfChange);
        continue;
      }
      if (entry.data === undefined) continue;
      const { hash } = entry.data as { readonly hash: number };
      member.applied++;
      const revision = member.applied + 1;
      facts.raftApply.emit(name, entry.index, entry.term, hash, revision);
      if (revision > this.#told + 1) {
        this.#told = member.applied;
        facts.keyChanged.emit(revision, 0, keyOf(hash), 'PUT', hash);
      }
      if (member.raft.isLeader) facts.opAnswered.emit(hash, 'ok', revision, revision, hash);
    }
    let committed = member.applied;
    for (let i = 0; i < this.#members.length; i++) committed = Math.min(committed, (this.#members[i] as Member).applied);
    const moved = committed > this.#committed;
    this.#committed = committed;
    const last = entries[entries.length - 1];
    if (last !== undefined && last.index - member.compacted >= 2 * COMPACT_EVERY) this.#compact(member, last);
    if (moved && this.#proposed < this.#target) this.#leader?.process.deliver(0, 0, this.#refilling, undefined, undefined);
  }

  #refill(): void {
    const leader = this.#leader;
    while (leader !== undefined && this.#proposed < Math.min(this.#target, this.#committed + this.#inFlight)) {
      const hash = ++this.#proposed;
      this.#facts.opInvoked.emit(hash, 'client', 'etcd-0', 'put', keyOf(hash), hash);
      if (leader.raft.propose({ hash }, ENTRY_BYTES) !== undefined) throw new Error('a proposal was dropped');
    }
  }

  /** What a snapshot does to the log, on disk and in memory. */
  #compact(member: Member, last: Entry): void {
    member.compacted = last.index - COMPACT_EVERY;
    const voters = Array.from({ length: this.#size }, (_, i) => i + 1);
    member.wal.saveSnapshot({
      index: member.compacted,
      term: last.term,
      confState: { voters, learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false },
    });
    member.wal.release(member.compacted);
    member.raft.storage.compact(member.compacted);
  }
}

function keyOf(hash: number): string {
  return KEYS[hash % KEYS.length] as string;
}

const KEYS = Array.from({ length: 64 }, (_, i) => `key-${i}`);
