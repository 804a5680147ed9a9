import type { Micros } from '../sim/time.ts';
import type { CommittedHistory } from './committed-history.ts';
import type { Answer } from './operations.ts';
import type { Property } from './property.ts';

/** What was acknowledged is in the committed history, with its value and at its revision. */
export const durableWrites: Property = {
  id: 'durable-writes',
  about: 'A write that etcd or an API server acknowledged is never lost.',
  clauses: [
    { id: 'acknowledged-is-committed', must: 'Every acknowledged write stands in the committed history at the revision of its answer.' },
    {
      id: 'api-write-is-committed',
      must: 'Every change that an API server acknowledged stands in the committed history at the resourceVersion of its answer.',
    },
  ],
  needsKubernetes: false,
  start({ facts, clock, views, violate }) {
    const { history, operations } = views;
    let acknowledged = 0;
    /** Acknowledged in the very instant in which the history hears of it, or never committed: judged at the end. */
    const later: { readonly answer: Answer; readonly atUs: number }[] = [];

    const judge = ({ operation, revision }: Answer, atUs: number): void => {
      // No answer takes so long that what it tells of is forgotten.
      if (revision < history.oldest) return;
      const change = history.changeAt(operation.key, revision);
      if (change !== undefined && !change.deleted && change.value === operation.value) return;
      violate({
        clause: 'acknowledged-is-committed',
        atUs,
        sentence: `${operation.member} acknowledged a write of ${operation.key} at revision ${revision} that is not in the store.`,
        expected: `${operation.key} changed at revision ${revision}`,
        actual: change === undefined ? 'no such change was committed' : 'another value was committed there',
        subjects: [operation.client, operation.member],
        facts: [
          { atUs: operation.invokedAtUs, subject: operation.client, text: `writes ${operation.key} through ${operation.member}` },
          { atUs, subject: operation.member, text: `acknowledges it at revision ${revision}` },
        ],
      });
    };

    operations.onAnswer((answer) => {
      if (answer.outcome !== 'ok' || answer.operation.kind !== 'put') return;
      acknowledged++;
      if (answer.revision > history.revision) later.push({ answer, atUs: clock.now });
      // The history only grows: what stands in it now stands in it at the end.
      else judge(answer, clock.now);
    });
    const judgeApi = ({ server, user, what, key, version, atUs }: ApiWrite): void => {
      if (version < history.oldest || changes(history, version, key)) return;
      violate({
        clause: 'api-write-is-committed',
        atUs,
        sentence: `${server} acknowledged ${what} of ${user} at version ${version}, which is not in the store.`,
        expected: `${key} changed at revision ${version}`,
        actual: 'no such change was committed',
        subjects: [server],
        facts: [{ atUs, subject: server, text: `acknowledges ${what} at version ${version}` }],
      });
    };
    const laterApi: ApiWrite[] = [];
    facts.apiWrite.subscribe((server, user, verb, resource, key, version) => {
      // Answers without a version of one object: what deletes at once, reviews, bindings, collections.
      if (!(version > 0) || verb === 'deletecollection') return;
      acknowledged++;
      const write: ApiWrite = { server, user, what: `${verb} ${resource} ${key}`, key, version, atUs: clock.now };
      if (version > history.revision) laterApi.push(write);
      else judgeApi(write);
    });
    return {
      exercised: () => acknowledged,
      finish: () => {
        for (const { answer, atUs } of later) judge(answer, atUs);
        for (const write of laterApi) judgeApi(write);
      },
    };
  },
};

interface ApiWrite {
  readonly server: string;
  readonly user: string;
  readonly what: string;
  readonly key: string;
  readonly version: number;
  readonly atUs: Micros;
}

/** Whether a revision changed the key of an object of this name: where its kind lies in the store is the API server's affair. */
function changes(history: CommittedHistory, revision: number, key: string): boolean {
  const end = `/${key}`;
  for (let at = history.positionOf(revision); ; at++) {
    const change = history.change(at);
    if (change?.revision !== revision) return false;
    if (change.key.endsWith(end)) return true;
  }
}
