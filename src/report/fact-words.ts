import type { TraceFact } from '../harness/recorder.ts';
import { shortKey } from './request-words.ts';

/** A fact in words. */
export interface FactWords {
  /** Who did it: the lane, or `plan`. */
  readonly subject: string;
  /** Without the subject: "leads term 2". */
  readonly text: string;
  /** Two or three words beside a mark; absent where the lane's state says it. */
  readonly label?: string;
  /** Happens all the time: in the log and in the diagram only where it is asked for. */
  readonly noise?: boolean;
}

type Say = (args: readonly unknown[]) => FactWords;

const s = (value: unknown): string => String(value);

/** A table, one row a channel; channels without a row (a store's hashes, single applies) say nothing to people. */
const WORDS: Readonly<Record<string, Say>> = {
  raftRole: ([member, role, term, leader]) => ({
    subject: s(member),
    text:
      role === 'leader'
        ? `becomes leader of term ${s(term)}`
        : role === 'candidate'
          ? `campaigns for term ${s(term)}`
          : role === 'pre-candidate'
            ? `asks whether it could win term ${Number(term) + 1}`
            : leader === '' || leader === 'none' || leader === 0
              ? `is a follower without a leader in term ${s(term)}`
              : `follows ${s(leader)} in term ${s(term)}`,
  }),
  raftVote: ([member, term, candidate]) => ({
    subject: s(member),
    text: `votes for ${member === candidate ? 'itself' : s(candidate)} in term ${s(term)}`,
    label: `vote t${s(term)}: ${s(candidate)}`,
  }),
  raftLeader: ([member, term, lastIndex]) => ({
    subject: s(member),
    text: `becomes leader of term ${s(term)}, with a log up to entry ${s(lastIndex)}`,
  }),
  raftTruncate: ([member, from]) => ({
    subject: s(member),
    text: `replaces its log from entry ${s(from)} on`,
    label: `replaces ${s(from)}…`,
  }),
  raftAppend: ([member, index, term]) => ({
    subject: s(member),
    text: `appends entry ${s(index)} of term ${s(term)}`,
    label: `entry ${s(index)}`,
    noise: true,
  }),
  raftCommit: ([member, commit]) => ({
    subject: s(member),
    text: `commits up to entry ${s(commit)}`,
    label: `commit ${s(commit)}`,
    noise: true,
  }),
  raftApply: ([member, index, , , revision]) => ({
    subject: s(member),
    text: `applies entry ${s(index)}: revision ${s(revision)}`,
    label: `apply ${s(index)}`,
    noise: true,
  }),
  raftSnapshot: ([member, index, , revision]) => ({
    subject: s(member),
    text: `takes over a snapshot at entry ${s(index)}, revision ${s(revision)}`,
    label: `snapshot ${s(index)}`,
  }),
  raftConfig: ([member, index, voters, outgoing, learners]) => ({
    subject: s(member),
    text: `goes by the configuration of entry ${s(index)}: voters ${s(voters)}${outgoing === '' ? '' : `, joint with ${s(outgoing)}`}${learners === '' ? '' : `, learners ${s(learners)}`}`,
    label: outgoing === '' ? `config ${s(index)}` : `joint ${s(index)}`,
  }),
  memberStart: ([member, last, applied, revision]) => ({
    subject: s(member),
    text: `starts from its disk: log up to entry ${s(last)}, store at entry ${s(applied)}, revision ${s(revision)}`,
    label: `log to ${s(last)}`,
  }),
  raftRecovered: ([member, index, term]) => ({
    subject: s(member),
    text: `finds entry ${s(index)} of term ${s(term)} on its disk`,
    label: `entry ${s(index)}`,
    noise: true,
  }),
  leaseRevoked: ([member, lease, reason]) => ({
    subject: s(member),
    text: `revokes lease ${s(lease)} (${s(reason)})`,
    label: 'lease revoked',
  }),
  memberQuorum: ([member, has]) => ({
    subject: s(member),
    text: has === true ? 'can reach a majority again' : 'can no longer reach a majority',
    label: has === true ? 'quorum back' : 'quorum lost',
  }),
  nodeReachable: ([node, has]) => ({
    subject: s(node),
    text: has === true ? 'reaches an API server again' : 'reaches no API server any more',
    label: has === true ? 'reachable' : 'cut off',
  }),
  keyChanged: ([revision, , key, type]) => ({
    subject: 'etcd',
    text: `revision ${s(revision)}: ${s(type)} ${shortKey(s(key))}`,
    noise: true,
  }),
  storeCompacted: ([revision]) => ({ subject: 'etcd', text: `history before revision ${s(revision)} is compacted`, label: 'compacted' }),
  watchOpened: ([watch, client, member, key, , from]) => ({
    subject: s(client),
    text: `opens watch ${s(watch)} of ${shortKey(s(key))} on ${s(member)} from revision ${s(from)}`,
    label: 'watch',
  }),
  watchResumed: ([watch, member, from]) => ({
    subject: s(member),
    text: `takes up watch ${s(watch)} from revision ${s(from)}`,
    label: 'watch resumed',
  }),
  watchClosed: ([watch, reason]) => ({ subject: 'etcd', text: `watch ${s(watch)} ends: ${s(reason)}`, label: 'watch ends' }),
  watchEvent: ([watch, revision, , key, type]) => ({
    subject: 'etcd',
    text: `watch ${s(watch)}: ${s(type)} ${shortKey(s(key))} at revision ${s(revision)}`,
    noise: true,
  }),
  apiWrite: ([server, user, verb, resource, key, version]) => ({
    subject: s(server),
    text: `takes ${s(verb)} ${s(resource)} ${s(key)} from ${s(user)} as resourceVersion ${s(version)}`,
    label: `${s(verb)} ${s(resource)}`,
    noise: resource === 'leases' || resource === 'events' || s(resource).endsWith('nodes/status'),
  }),
  apiFailure: ([server, user, verb, resource, key, code]) => ({
    subject: s(server === '' ? user : server),
    text: `${s(verb)} ${s(resource)} ${s(key)} of ${s(user)} fails${code === 0 ? ': nobody answers' : ` with ${s(code)}`}`,
    label: code === 0 ? 'no answer' : s(code),
    noise: resource === 'leases' || resource === 'events',
  }),
  userOperation: ([, user, what]) => ({ subject: s(user), text: `asks: ${s(what)}`, label: s(what) }),
  userAnswer: ([op, outcome, detail]) => ({
    subject: 'user',
    text: `operation ${s(op)}: ${s(outcome)}${detail === '' ? '' : `, ${s(detail)}`}`,
    label: s(outcome),
  }),
  leading: ([lease, identity, holds]) => ({
    // The identity is the host with a random end.
    subject: s(identity).replace(/_.*$/, ''),
    text: `${holds === true ? 'holds' : 'no longer holds'} the lease ${s(lease)}`,
  }),
  podBound: ([pod, , node]) => ({ subject: 'scheduler', text: `binds pod ${s(pod)} to ${s(node)}`, label: `${tail(pod)} → ${s(node)}` }),
  podEvicted: ([pod, , node, reason]) => ({
    subject: 'kcm',
    text: `evicts pod ${s(pod)} from ${s(node)} (${s(reason)})`,
    label: `evict ${tail(pod)}`,
  }),
  nodeCondition: ([node, ready]) => ({ subject: s(node), text: `is Ready ${s(ready)} in the API`, label: `Ready ${s(ready)}` }),
  containerStarted: ([node, pod, , container, , image]) => ({
    subject: s(node),
    text: `starts container ${s(container)} of ${s(pod)} (${s(image)})`,
    label: `start ${tail(pod)}`,
  }),
  containerStopped: ([node, pod, , container, , code]) => ({
    subject: s(node),
    text: `sees container ${s(container)} of ${s(pod)} stop with exit code ${s(code)}`,
    label: `stop ${tail(pod)}`,
  }),
  podReady: ([node, pod, , ready]) => ({
    subject: s(node),
    text: `sees pod ${s(pod)} ${ready === true ? 'ready' : 'not ready'}`,
    label: `${tail(pod)} ${ready === true ? 'ready' : 'not ready'}`,
  }),
  podAdmitted: ([node, pod]) => ({ subject: s(node), text: `admits pod ${s(pod)}`, label: `admit ${tail(pod)}` }),
  podRemoved: ([node, pod]) => ({ subject: s(node), text: `has removed pod ${s(pod)}`, label: `removed ${tail(pod)}` }),
  membersMet: ([member, other]) => ({ subject: s(member), text: `can reach ${s(other)} again, and be reached`, noise: true }),
  cloudServes: ([what]) => ({ subject: 'cloud', text: `offers ${s(what)}`, noise: true }),
  loadBalancer: ([name, address]) => ({
    subject: 'cloud',
    text: address === '' ? `has taken the load balancer ${s(name)} away` : `has made the load balancer ${s(name)} at ${s(address)}`,
    label: address === '' ? 'no balancer' : `balancer ${s(address)}`,
  }),
  nodeGroup: ([group, machines, max]) => ({
    subject: 'cloud',
    text: `${s(group)} has ${s(machines)} of ${s(max)} machines, running or ordered`,
    label: `${s(group)}: ${s(machines)}`,
  }),
  nodeCapacity: ([node, cpu, , pods]) => ({
    subject: s(node),
    text: `registers with ${s(cpu)} millicores and room for ${s(pods)} pods`,
    noise: true,
  }),
  endpointsProgrammed: ([node, service, port, backends]) => ({
    subject: s(node),
    text: `routes ${s(service)} ${s(port)} to ${backends === '' ? 'nobody' : s(backends)}`,
    label: `${tail(service)}: ${backends === '' ? 0 : s(backends).split(',').length} backends`,
  }),
  requestSent: ([request, client, service]) => ({ subject: s(client), text: `request ${s(request)} to ${s(service)}`, noise: true }),
  requestAnswered: ([request, outcome, pod]) => ({
    subject: 'user',
    text: `request ${s(request)}: ${s(outcome)}${pod === '' ? '' : ` from ${s(pod)}`}`,
    noise: outcome === 'ok',
    label: s(outcome),
  }),
  faultInjected: ([fault, kind, targets]) => ({ subject: 'fault', text: `${s(fault)} ${s(kind)} ${s(targets)}` }),
  faultHealed: ([fault, kind, touched]) => ({ subject: 'fault', text: `${s(fault)} ${s(kind)} ends, touched ${s(touched)}` }),
  phase: ([phase]) => ({
    subject: 'plan',
    text: phase === 'chaos' ? 'chaos begins' : phase === 'healing' ? 'all faults are healed, users stop' : `phase ${s(phase)}`,
    label: phase === 'healing' ? 'all healed' : s(phase),
  }),
};

/** What a fact says to people; undefined where it says nothing. */
export function sayFact(fact: TraceFact): FactWords | undefined {
  return WORDS[fact.channel]?.(fact.args);
}

/** Subject and text, without a full stop; what the plan does needs no subject. */
export function sentenceOf(words: FactWords): string {
  return sentenceCase(words.subject === 'plan' ? words.text : `${words.subject} ${words.text}`);
}

/** A capital letter at the beginning, unless a name stands there. */
export function sentenceCase(text: string): string {
  return /^[\w/-]*(?:\d|-|\/)/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

/** `shop/front-7f4-x` → `front-7f4-x`. */
function tail(name: unknown): string {
  const text = s(name);
  return text.slice(text.lastIndexOf('/') + 1);
}
