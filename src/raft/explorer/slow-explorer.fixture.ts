import { type Message, MsgSnap } from '../message.ts';
import { StateLeader } from '../types.ts';
import type { Bounds } from './explorer.ts';
import { BASE_INDEX, INPUT_BEAT, INPUT_CAMPAIGN, INPUT_CRASH, INPUT_PROPOSE, INPUT_MESSAGE, LiveNode, messageText } from './local-nodes.ts';

/** A state with all that makes it, in the plainest form. */
interface World {
  readonly nodes: readonly LiveNode[];
  flight: Message[];
  readonly leaders: Set<string>;
  readonly committed: string[];
  crashes: number;
  proposals: number;
}

/** What can be done next: to a node, or with a message of the flight. */
type Move = readonly [node: number, input: number] | Message;

/**
 * The explorer's slow twin: every state is made anew from the beginning, on real nodes, by all the moves that led to it, and kept as text.
 * Nothing is remembered of steps and nothing is packed. For a few thousand states.
 */
export function exploreSlowly(bounds: Bounds): { readonly distinct: number; readonly generated: number } {
  const known = new Set([keyOf(begin())]);
  let level: (readonly Move[])[] = [[]];
  let generated = 0;
  while (level.length > 0) {
    const next: (readonly Move[])[] = [];
    for (const path of level) {
      for (const move of movesOf(replay(path, bounds), bounds, path.length === 0)) {
        generated++;
        const longer = [...path, move];
        const key = keyOf(replay(longer, bounds));
        if (known.has(key)) continue;
        known.add(key);
        next.push(longer);
      }
    }
    level = next;
  }
  return { distinct: known.size, generated };
}

function begin(): World {
  const nodes = [1, 2, 3].map((id) => new LiveNode(id, { voters: 3 }));
  return { nodes, flight: [], leaders: new Set(), committed: [], crashes: 0, proposals: 0 };
}

function replay(path: readonly Move[], bounds: Bounds): World {
  const world = begin();
  for (const move of path) apply(world, move, bounds);
  return world;
}

function movesOf(world: World, bounds: Bounds, isFirst: boolean): readonly Move[] {
  const moves: Move[] = [];
  for (const { id, raw } of world.nodes) {
    if (raw.state === StateLeader) {
      if (world.proposals < bounds.proposals) moves.push([id, INPUT_PROPOSE + world.proposals]);
      if (bounds.heartbeats === true) moves.push([id, INPUT_BEAT]);
    } else if (raw.term < bounds.terms && (!isFirst || id === 1)) moves.push([id, INPUT_CAMPAIGN]);
    if (world.crashes < bounds.crashes) moves.push([id, INPUT_CRASH]);
  }
  return [...moves, ...world.flight];
}

function apply(world: World, move: Move, bounds: Bounds): void {
  const message = Array.isArray(move) ? undefined : (move as Message);
  const [id, input] = message === undefined ? (move as readonly [number, number]) : [message.to, INPUT_MESSAGE];
  const node = world.nodes[id - 1] as LiveNode;
  if (input === INPUT_CRASH) world.crashes++;
  if (input >= INPUT_PROPOSE && input < INPUT_MESSAGE) world.proposals++;
  if (message !== undefined) world.flight = world.flight.filter((m) => messageText(m) !== messageText(message));
  const { raw } = node;
  const [term, led] = [raw.term, raw.state === StateLeader];
  const known = message === undefined ? [] : [{ message, to: message.to, term: message.term }];
  for (const sent of node.take(input, known)) {
    const isStale = sent.term < (world.nodes[sent.to - 1] as LiveNode).raw.term;
    const isThere = world.flight.some((m) => messageText(m) === messageText(sent));
    if (sent.type === MsgSnap) throw new Error('snapshots are not explored');
    if (!isStale && !isThere && world.flight.length < bounds.inFlight) world.flight.push(sent);
  }
  const now = node.raw;
  world.flight = world.flight.filter((m) => m.to !== id || m.term >= now.term);
  if (now.state === StateLeader && !(led && term === now.term)) world.leaders.add(`${now.term}:${id}`);
  for (let at = world.committed.length; at < now.committed - BASE_INDEX; at++) {
    world.committed.push(`${node.log()[at]}@${now.term}`);
  }
}

function keyOf({ nodes, flight, leaders, committed, crashes, proposals }: World): string {
  const parts = [nodes.map((node) => node.key()), flight.map(messageText).sort(), [...leaders].sort(), committed, crashes, proposals];
  return JSON.stringify(parts);
}
