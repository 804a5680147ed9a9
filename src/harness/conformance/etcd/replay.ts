import type { EtcdRequest, WatchRequest } from '../../../model/etcd/api.ts';
import { EtcdError, isError } from '../../../model/etcd/errors.ts';
import type { EtcdConfig } from '../../../model/etcd/server/config.ts';
import { MILLISECOND, SECOND } from '../../../sim/time.ts';
import { gatewayAnswer, type GatewayJson, gatewayWatchMessage } from './gateway-answers.ts';
import { requestOf, watchRequestOf } from './gateway-requests.ts';
import { gatewayPaths, gatewayTypes } from './gateway-types.ts';
import { JsonTextError, parseJsonText } from './json-text.ts';
import { Placeholders } from './placeholders.ts';
import { decodeBase64, decodeMessage } from './proto-json.ts';
import type { Action, RecordedError, RecordedLine, RecordedRequest } from './recording.ts';
import { type CallEnd, memberId, ReplayCluster, type ReplayStream } from './replay-cluster.ts';

/** What came of one line. */
export interface LineResult {
  readonly step: number;
  readonly name: string;
  /** Where the answer differs; undefined if it does not. */
  readonly difference: string | undefined;
}

/** Time between two lines: what is left of leases in the recordings of one member shows that it was no longer. */
const BETWEEN_LINES_US = 20 * MILLISECOND;
/** Between two lines of a cluster of three, and before a watch is opened or another member than the one just written to is asked. */
const BETWEEN_CLUSTER_LINES_US = 60 * MILLISECOND;
const SETTLE_US = 300 * MILLISECOND;
/** The recorder's cluster had settled before the first line. */
const START_US = 5 * SECOND;
const PATIENCE_US = 30 * SECOND;
const UNTIL_US = 20 * SECOND;
const GAVE_UP_US = 10 * SECOND;

/** What an HTTP caller of the gateway got. */
type GatewayEnd =
  | { readonly json: GatewayJson }
  | { readonly error: { readonly http?: number; readonly code?: number; readonly message?: string; readonly transport?: string } };

/** Replays a recording against a simulated cluster and compares line by line. A line that fails does not stop the rest. */
export class Replay {
  readonly #cluster: ReplayCluster;
  readonly #placeholders = new Placeholders();
  readonly #streams = new Map<string, ReplayStream>();
  readonly #lines: readonly RecordedLine[];
  #revision = '0';
  #lastAt = 'm1';

  constructor(lines: readonly RecordedLine[], settings: Partial<EtcdConfig>) {
    this.#lines = lines;
    const size = lines.some((line) => line.at !== undefined) ? 3 : 1;
    this.#cluster = new ReplayCluster(size, settings);
    for (const name of this.#cluster.names) this.#placeholders.bind(`<member:${name}>`, String(memberId(name)));
    this.#cluster.sleep(START_US);
  }

  run(): readonly LineResult[] {
    const results: LineResult[] = [];
    for (let i = 0; i < this.#lines.length; ) {
      const line = this.#lines[i];
      if (line === undefined) break;
      const group = this.#groupFrom(i);
      this.#before(line);
      for (const action of line.do ?? []) this.#act(action);
      if (group.length > 1) this.#runGroup(group, results);
      else results.push({ step: line.step, name: line.name, difference: this.#runLine(line) });
      i += group.length;
    }
    return results;
  }

  #groupFrom(at: number): readonly RecordedLine[] {
    const first = this.#lines[at];
    if (first?.group === undefined) return first === undefined ? [] : [first];
    let end = at + 1;
    while (this.#lines[end]?.group === first.group) end++;
    return this.#lines.slice(at, end);
  }

  #before(line: RecordedLine): void {
    const settles = line.request?.bodies !== undefined || (line.at !== undefined && line.at !== this.#lastAt);
    const between = this.#cluster.names.length === 1 ? BETWEEN_LINES_US : settles ? SETTLE_US : BETWEEN_CLUSTER_LINES_US;
    this.#cluster.sleep(between);
    this.#lastAt = line.at ?? this.#lastAt;
  }

  #runGroup(group: readonly RecordedLine[], results: LineResult[]): void {
    const ends: (GatewayEnd | undefined)[] = group.map(() => undefined);
    group.forEach((line, i) => {
      this.#send(line, (end) => {
        ends[i] = end;
      });
    });
    this.#cluster.wait(() => ends.every((end) => end !== undefined), PATIENCE_US);
    group.forEach((line, i) => {
      results.push({ step: line.step, name: line.name, difference: this.#compareEnd(line, ends[i]) });
    });
  }

  #runLine(line: RecordedLine): string | undefined {
    if (line.request?.bodies !== undefined) return this.#openStream(line);
    if (line.request !== undefined) {
      let end: GatewayEnd | undefined;
      this.#send(line, (answer) => {
        end = answer;
      });
      this.#cluster.wait(() => end !== undefined, PATIENCE_US);
      return this.#compareEnd(line, end);
    }
    if (line.messages !== undefined) return this.#compareMessages(line);
    if (line.until !== undefined) return this.#until(line) === (line.happened ?? true) ? undefined : 'it did not happen within 20 s';
    if (line.exit !== undefined) return this.#compareExit(line);
    if (line.observe !== undefined) return this.#observe(line) === (line.holds ?? true) ? undefined : 'it does not hold';
    if (line.oneOf !== undefined) return this.#compareOneOf(line);
    return undefined;
  }

  // --- requests -----------------------------------------------------------------------------------------------------------------

  #send(line: RecordedLine, done: (end: GatewayEnd) => void): void {
    const { request } = line;
    if (request === undefined) return;
    const at = line.at ?? 'm1';
    const metadata = this.#metadata(request);
    const timeoutUs = line.error?.transport === 'client gave up' ? GAVE_UP_US : PATIENCE_US;
    if (!request.path.startsWith('/v3')) {
      this.#cluster.http(at, request.path, timeoutUs, (answer) => {
        if (answer === undefined) return done({ error: { transport: 'client gave up' } });
        const { body, status } = answer;
        const json = typeof body === 'string' ? { text: body } : { ...body };
        const message = typeof body === 'string' ? body : (body.reason ?? '');
        done(status === 200 ? { json } : { error: { http: status, message } });
      });
      return;
    }
    const decoded = this.#decode(request);
    if (isError(decoded)) return done({ error: errorJson(decoded) });
    this.#cluster.call(at, decoded, metadata, timeoutUs, (end) => done(gatewayEnd(decoded, end)));
  }

  #decode(request: RecordedRequest): EtcdRequest | EtcdError {
    const path = request.path.replace('/v3beta/', '/v3/');
    const typeName = gatewayPaths[path];
    if (typeName === undefined) return new EtcdError('other', 5, 'Not Found');
    if (request.method !== undefined && request.method !== 'POST') return new EtcdError('other', 12, 'Method Not Allowed');
    try {
      return requestOf(path, this.#message(typeName, request));
    } catch (error) {
      if (error instanceof EtcdError) return error;
      if (error instanceof JsonTextError) return new EtcdError('other', 3, error.message);
      throw error;
    }
  }

  #message(typeName: string, request: RecordedRequest) {
    if (request.raw !== undefined) {
      return decodeMessage(gatewayTypes, typeName, parseJsonText(request.raw === '' ? '{}' : request.raw), decodeBase64);
    }
    const body = request.bodySpec === undefined ? request.body : bodyOf(request.bodySpec);
    return this.#plainMessage(typeName, body ?? {});
  }

  /** Bodies are recorded with their bytes decoded. */
  #plainMessage(typeName: string, body: unknown) {
    const text = JSON.stringify(this.#placeholders.fill(body, this.#revision));
    return decodeMessage(gatewayTypes, typeName, parseJsonText(text), (bytes) => bytes);
  }

  #metadata(request: RecordedRequest) {
    const token = request.headers?.Authorization;
    const requireLeader = request.headers?.['Grpc-Metadata-hasleader'] === 'true';
    return token === undefined ? { requireLeader } : { requireLeader, token: this.#placeholders.fill(token, '') as string };
  }

  #compareEnd(line: RecordedLine, end: GatewayEnd | undefined): string | undefined {
    if (end === undefined) return 'no answer';
    if ('error' in end) {
      if (line.error === undefined) return `expected an answer, got the error ${JSON.stringify(end.error)}`;
      return errorDifference(line.error, end.error);
    }
    if (line.error !== undefined)
      return `expected the error ${JSON.stringify(line.error)}, got an answer: ${JSON.stringify(end.json).slice(0, 300)}`;
    const header = end.json.header as { readonly revision?: string } | undefined;
    this.#revision = header?.revision ?? this.#revision;
    const json = this.#arrangeMembers(end.json);
    return this.#placeholders.difference(line.response ?? {}, json, 'response');
  }

  /** Members added later are listed last, in order of their adding: their ids depend on the time. */
  #arrangeMembers(json: GatewayJson): GatewayJson {
    if (!Array.isArray(json.members)) return json;
    const rank = (member: GatewayJson) => {
      const id = String(member.ID);
      return this.#cluster.names.some((name) => String(memberId(name)) === id) ? 0 : 1;
    };
    const members = [...(json.members as GatewayJson[])].sort((a, b) => rank(a) - rank(b));
    return { ...json, members };
  }

  // --- streams ------------------------------------------------------------------------------------------------------------------

  #openStream(line: RecordedLine): string | undefined {
    const { request, stream } = line;
    if (request?.bodies === undefined || stream === undefined) return 'a line that opens a stream needs bodies and a name';
    const requests = request.bodies.map((body): WatchRequest => watchRequestOf(this.#plainMessage('WatchRequest', body)));
    this.#streams.set(stream, this.#cluster.openWatch(line.at ?? 'm1', requests, this.#metadata(request)));
    return undefined;
  }

  #compareMessages(line: RecordedLine): string | undefined {
    const stream = this.#streams.get(line.stream ?? '');
    if (stream === undefined) return `no stream ${line.stream}`;
    const { count, ms } = line.waitFor ?? { count: 1, ms: 5000 };
    this.#cluster.wait(() => stream.messages.length >= count || stream.ended !== undefined, ms * MILLISECOND);
    const taken = stream.messages
      .splice(0)
      .map((item) => ('error' in item ? { error: codeAndMessage(item.error) } : gatewayWatchMessage(item.message)));
    if (line.anyOrder === true) taken.sort((a, b) => watchIdOf(a) - watchIdOf(b));
    const found = this.#placeholders.difference(line.messages, taken, 'messages');
    if (found !== undefined) return found;
    if (line.ended !== undefined && stream.ended !== line.ended)
      return `expected the stream to be ${line.ended}, it is ${stream.ended ?? 'open'}`;
    return undefined;
  }

  // --- what the recorder did and saw --------------------------------------------------------------------------------------------------

  #act(action: Action): void {
    const cluster = this.#cluster;
    if ('lead' in action) cluster.lead(action.lead);
    else if ('wait' in action) cluster.sleep(action.wait * MILLISECOND);
    else if ('kill' in action) for (const name of action.kill) cluster.kill(name, 'SIGKILL');
    else if ('stop' in action) for (const name of action.stop) cluster.kill(name, 'SIGTERM');
    else if ('pause' in action) for (const name of action.pause) cluster.pause(name);
    else if ('resume' in action) for (const name of action.resume) cluster.resume(name);
    else if ('start' in action) this.#startAll(action.start);
    else if ('startNew' in action) cluster.startNew(action.startNew);
    else this.#put(action.puts);
  }

  /** A member counts as started once it serves; a single one, once it can be written to. */
  #startAll(names: readonly string[]): void {
    for (const name of names) this.#cluster.start(name);
    if (this.#cluster.names.length === 1) this.#cluster.sleep(SECOND);
  }

  #put(puts: Extract<Action, { puts: unknown }>['puts']): void {
    const value = puts.valueBytes === undefined ? (puts.value ?? '') : 'x'.repeat(puts.valueBytes);
    const count = puts.untilError === true ? 1000 : (puts.count ?? 0);
    for (let i = 0; i < count; i++) {
      const end = this.#cluster.ask(puts.at, { type: 'put', key: puts.key.replace('<i>', String(i)), value });
      if (isError(end) || 'transport' in end) return;
    }
    this.#lastAt = puts.at;
  }

  #until(line: RecordedLine): boolean {
    const { until } = line;
    if (until === undefined) return false;
    const deadline = this.#cluster.world.now + UNTIL_US;
    do {
      if (this.#holdsNow(until)) return true;
      this.#cluster.sleep(20 * MILLISECOND);
    } while (this.#cluster.world.now < deadline);
    return false;
  }

  #holdsNow(until: NonNullable<RecordedLine['until']>): boolean {
    if (until.exited !== undefined) return !this.#cluster.isRunning(until.exited);
    const at = until.at ?? 'm1';
    if (until.leader !== undefined) return this.#leaderIs(at, until.leader);
    const end = this.#cluster.ask(at, { type: 'range', key: until.key ?? '', serializable: until.serializable === true });
    if (isError(end) || !('kvs' in end)) return false;
    if (until.answers === true) return true;
    if (until.gone === true) return end.kvs.length === 0;
    return end.kvs[0]?.value === until.value;
  }

  #leaderIs(at: string, wanted: string): boolean {
    const leader = this.#cluster.leaderSeenBy(at);
    if (leader === undefined || leader === 0) return false;
    const name = wanted.replace('not ', '');
    return wanted.startsWith('not ') ? leader !== memberId(name) : leader === memberId(name);
  }

  #observe(line: RecordedLine): boolean {
    const { observe } = line;
    const at = observe?.at ?? 'm1';
    if (observe?.leader !== undefined) return this.#leaderIs(at, observe.leader);
    if (observe?.leaseTtlAbove === undefined) return false;
    const [id, seconds] = observe.leaseTtlAbove;
    const end = this.#cluster.ask(at, { type: 'leaseTimeToLive', id: BigInt(id) });
    return !isError(end) && 'grantedTtl' in end && end.ttl > seconds;
  }

  #compareExit(line: RecordedLine): string | undefined {
    const name = line.observe?.exitCode ?? namesIn(line.do)[0] ?? 'm1';
    const exit = this.#cluster.exitOf(name);
    const same = exit !== undefined && exit.code === line.exit?.code && exit.sig === line.exit?.sig;
    return same ? undefined : `expected ${JSON.stringify(line.exit)}, got ${JSON.stringify(exit)}`;
  }

  /** Requests that timed out may have been applied later: all of them or none. */
  #compareOneOf(line: RecordedLine): string | undefined {
    const end = this.#cluster.ask(line.at ?? 'm1', { type: 'range', key: '\0', rangeEnd: '\0', countOnly: true });
    if (isError(end) || !('kvs' in end)) return `no answer to a read: ${JSON.stringify(end)}`;
    const revision = String(end.header.revision);
    const possible = (line.oneOf ?? []) as readonly { readonly revision?: string }[];
    return possible.some((one) => one.revision === revision)
      ? undefined
      : `the revision is ${revision}, none of ${JSON.stringify(possible)}`;
  }
}

function gatewayEnd(request: EtcdRequest, end: CallEnd): GatewayEnd {
  if (isError(end)) return { error: errorJson(end) };
  if ('transport' in end) return { error: { transport: end.transport } };
  return { json: gatewayAnswer(request, end) };
}

function codeAndMessage(error: EtcdError) {
  return { code: error.grpc, message: error.message };
}

function errorJson(error: EtcdError) {
  return { http: httpStatus(error.grpc), ...codeAndMessage(error) };
}

function errorDifference(expected: RecordedError, actual: { readonly [field: string]: unknown }): string | undefined {
  const show = () => `expected the error ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`;
  if (expected.transport !== undefined) return actual.transport === expected.transport ? undefined : show();
  if (expected.http !== actual.http || expected.code !== actual.code) return show();
  const messages = expected.messageOneOf ?? [expected.message];
  return messages.includes(actual.message as string) ? undefined : show();
}

/** grpc-gateway's HTTPStatusFromCode. */
function httpStatus(code: number): number {
  const statuses: { readonly [code: number]: number } = {
    1: 499,
    3: 400,
    4: 504,
    5: 404,
    7: 403,
    8: 429,
    9: 400,
    11: 400,
    12: 501,
    14: 503,
    16: 401,
  };
  return statuses[code] ?? 500;
}

function watchIdOf(message: { readonly [field: string]: unknown }): number {
  return Number(message.watch_id ?? 0);
}

function namesIn(actions: readonly Action[] | undefined): readonly string[] {
  return (actions ?? []).flatMap((action) => ('stop' in action ? action.stop : 'kill' in action ? action.kill : []));
}

/** Long lists of operations are recorded as what to repeat. */
function bodyOf(spec: NonNullable<RecordedRequest['bodySpec']>): unknown {
  return Object.fromEntries(
    Object.entries(spec).map(([branch, { repeat, ...item }]) => [branch, Array.from({ length: repeat }, (_, i) => repeated(item, i))]),
  );
}

function repeated(item: { readonly [field: string]: unknown }, i: number): unknown {
  const request: { [field: string]: unknown } = {};
  for (const [name, value] of Object.entries(item)) {
    const isOperation = typeof value === 'object' && value !== null;
    const filled = isOperation ? numbered(value as { readonly [field: string]: unknown }, i) : numberedText(value, i);
    request[isOperation ? `request_${name}` : name] = filled;
  }
  return request;
}

function numbered(fields: { readonly [field: string]: unknown }, i: number): unknown {
  const filled: { [field: string]: unknown } = {};
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'valueBytes') filled.value = 'x'.repeat(Number(value));
    else filled[name] = numberedText(value, i);
  }
  return filled;
}

function numberedText(value: unknown, i: number): unknown {
  return typeof value === 'string' ? value.replaceAll('<i>', String(i)) : value;
}
