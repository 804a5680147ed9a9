import type { ManifestDocument } from './documents.ts';
import type { SetAnswer, SetServer } from './set-server.ts';
import type { RecordedAnswer, RecordedVerdict } from './verdicts.ts';

/** A row with the document that it is about. */
export interface SetItem {
  readonly row: RecordedVerdict;
  readonly document: ManifestDocument;
}

interface Judgement {
  create: RecordedAnswer;
  apply: RecordedAnswer;
  readonly warnings: Set<string>;
}

/** Kinds that are made for real, because others need them. Namespaces come first and at once. */
const madeKinds = new Set(['CustomResourceDefinition', 'ServiceAccount', 'PriorityClass', 'RuntimeClass']);
const nothing: RecordedAnswer = { verdict: '', http: '', message: '' };

/** Judges a set's documents in the recorder's order (README of the sets) and says per item what differs, if anything does. */
export function judgeSet(items: readonly SetItem[], server: SetServer): readonly (string | undefined)[] {
  const judgements = items.map((): Judgement => ({ create: nothing, apply: nothing, warnings: new Set() }));
  const each = (isTurn: (item: SetItem) => boolean, act: (item: SetItem, judgement: Judgement) => void): void =>
    items.forEach((item, i) => {
      if (isTurn(item)) act(item, judgements[i] as Judgement);
    });
  const isNamespace = ({ row }: SetItem): boolean => row.kind === 'Namespace';
  const isMade = ({ row }: SetItem): boolean => madeKinds.has(row.kind);
  const isOther = (item: SetItem): boolean => !isNamespace(item) && !isMade(item);
  for (const namespace of ['default', 'kube-system']) makeDefaultAccount(server, namespace);
  each(isNamespace, (item) => {
    if (wasThereBefore(item, items)) make(server, item);
  });
  each(isNamespace, (item, judgement) => {
    judgeCreate(server, item, judgement);
    make(server, item);
  });
  for (const namespace of new Set(items.map(({ row }) => namespaceOf(row)))) makeNamespace(server, namespace);
  each(isMade, (item) => {
    if (wasThereBefore(item, items)) make(server, item);
  });
  each(isMade, (item, judgement) => judgeCreate(server, item, judgement));
  each(isMade, (item) => make(server, item));
  each(
    (item) => !isOther(item),
    (item, judgement) => judgeApply(server, item, judgement),
  );
  each(isOther, (item, judgement) => {
    judgeCreate(server, item, judgement);
    judgeApply(server, item, judgement);
  });
  return items.map((item, i) => differenceOf(item, judgements[i] as Judgement));
}

/** An object that `exists` although no earlier document of the set made it: another set had. */
function wasThereBefore({ row }: SetItem, items: readonly SetItem[]): boolean {
  const sameObject = (other: RecordedVerdict): boolean =>
    other.kind === row.kind && other.apiVersion === row.apiVersion && other.name === row.name && namespaceOf(other) === namespaceOf(row);
  return row.create.verdict === 'exists' && items.find((item) => sameObject(item.row))?.row === row;
}

function namespaceOf(row: RecordedVerdict): string {
  return row.namespace === '' ? 'default' : row.namespace;
}

function pathOf(server: SetServer, { row }: SetItem): string | undefined {
  return server.collectionPath({ apiVersion: row.apiVersion, kind: row.kind, namespace: namespaceOf(row) });
}

/** Makes an object for real. */
function make(server: SetServer, item: SetItem): void {
  const path = pathOf(server, item);
  if (path === undefined) return;
  server.send('POST', `${path}?fieldValidation=Ignore`, item.document.text);
  if (item.row.kind === 'Namespace') makeDefaultAccount(server, item.row.name);
}

/** Namespaces that documents name were there too; a name that is none is refused, then and now. */
function makeNamespace(server: SetServer, name: string): void {
  const { code } = server.send('POST', '/api/v1/namespaces', JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  if (code < 400) makeDefaultAccount(server, name);
}

/** The service account that a controller makes in every namespace: pods need it. */
function makeDefaultAccount(server: SetServer, namespace: string): void {
  server.send(
    'POST',
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts`,
    '{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default"}}',
  );
}

function noSuchKind({ row }: SetItem): RecordedAnswer {
  return { verdict: 'no-such-kind', http: '', message: `no matches for kind "${row.kind}" in version "${row.apiVersion}"` };
}

function judgeCreate(server: SetServer, item: SetItem, judgement: Judgement): void {
  const path = pathOf(server, item);
  if (path === undefined) {
    judgement.create = noSuchKind(item);
    return;
  }
  const send = (validation: string): SetAnswer =>
    server.send('POST', `${path}?dryRun=All&fieldValidation=${validation}`, item.document.text);
  const strict = send('Strict');
  if (strict.code < 400 || !strict.message.includes('strict decoding error')) {
    judgement.create = { verdict: verdictOf(strict), http: String(strict.code), message: strict.code === 409 ? '' : strict.message };
    for (const warning of strict.warnings) judgement.warnings.add(warning);
    return;
  }
  const lax = send('Warn');
  for (const warning of lax.warnings) judgement.warnings.add(warning);
  judgement.create =
    lax.code < 400
      ? { verdict: 'accepted-if-not-strict', http: String(lax.code), message: strict.message }
      : { verdict: 'rejected', http: String(lax.code), message: `${strict.message} || ${lax.message}` };
}

function judgeApply(server: SetServer, item: SetItem, judgement: Judgement): void {
  const path = pathOf(server, item);
  if (path === undefined) {
    judgement.apply = noSuchKind(item);
    return;
  }
  const name = encodeURIComponent(item.row.name.replace(/\*$/, ''));
  const answer = server.send(
    'PATCH',
    `${path}/${name}?dryRun=All&fieldValidation=Strict&force=true&fieldManager=golden`,
    item.document.text,
  );
  for (const warning of answer.warnings) judgement.warnings.add(warning);
  judgement.apply = { verdict: verdictOf(answer), http: String(answer.code), message: answer.message };
}

function verdictOf({ code }: SetAnswer): string {
  return code < 400 ? 'accepted' : code === 409 ? 'exists' : 'rejected';
}

function differenceOf({ row }: SetItem, judgement: Judgement): string | undefined {
  for (const what of ['create', 'apply'] as const) {
    for (const part of ['verdict', 'http', 'message'] as const) {
      const expected = row[what][part];
      const actual = judgement[what][part];
      if (expected === actual) continue;
      const detail = part === 'message' || judgement[what].message === '' ? '' : ` (${JSON.stringify(judgement[what].message)})`;
      return `${what} ${part}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}${detail}`;
    }
  }
  const warnings = [...judgement.warnings].join(' | ');
  return warnings === row.warnings ? undefined : `warnings: expected ${JSON.stringify(row.warnings)}, got ${JSON.stringify(warnings)}`;
}
