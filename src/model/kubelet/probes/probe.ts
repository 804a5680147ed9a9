import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import { MILLISECOND, SECOND, type Micros } from '../../../sim/time.ts';
import type { Container, LifecycleHandler, Probe } from '../../api/types.ts';
import type { AppAnswer, AppRequest } from '../app.ts';
import { goDuration } from '../back-off.ts';
import type { CriClient } from '../cri.ts';
import type { Machine } from '../runtime/machine.ts';

/** What one call of a probe or hook showed. `error`: it could not be made; nothing is known. */
export type ProbeOutcome =
  | { readonly kind: 'success'; readonly stable: boolean }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'failure'; readonly message: string; readonly exitCode?: number }
  | { readonly kind: 'error'; readonly message: string };

type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> | LifecycleHandler;

/** A probe of an app on the same machine: no message can be lost on the way, so the app is asked directly and the answer takes its time. */
export interface ProbeTarget {
  readonly containerId: string;
  readonly container: Container;
  /** Pod's IP. */
  readonly address: string;
}

/** A connection to a port of the own machine, and an HTTP exchange over it. */
const CONNECT_US: Micros = 300;
/** The bytes of a body that a message shows. */
const BODY_MAX = 10_240;

export function portOf(container: Container, port: string | number | undefined): number | undefined {
  if (typeof port === 'number') return port;
  const named = container.ports?.find((candidate) => candidate.name === port);
  if (named !== undefined) return named.containerPort;
  const number = Number(port);
  return Number.isInteger(number) && number > 0 ? number : undefined;
}

/** Makes the call that a handler describes; upstream prober.runProbe. */
export function* callHandler(
  process: Process,
  machine: Machine,
  cri: CriClient,
  target: ProbeTarget,
  handler: Handler,
  timeoutUs: Micros,
): Task<ProbeOutcome> {
  if (handler.exec !== undefined) return yield* callExec(cri, target, handler.exec.command ?? [], timeoutUs);
  const { container } = target;
  if (handler.httpGet !== undefined) {
    const { path = '/', scheme = 'HTTP', host } = handler.httpGet;
    const port = portOf(container, handler.httpGet.port);
    if (port === undefined) return { kind: 'error', message: unknownPort(handler.httpGet.port) };
    const url = `${scheme.toLowerCase()}://${host ?? target.address}:${port}${path.startsWith('/') ? path : `/${path}`}`;
    if (host !== undefined && host !== target.address && host !== 'localhost' && host !== '127.0.0.1') {
      return { kind: 'failure', message: `Get "${url}": dial tcp ${host}:${port}: connect: connection refused` };
    }
    const answer = yield* ask(process, machine, target, { kind: 'http', port, path, scheme }, timeoutUs);
    return httpOutcome(answer, url, `${host ?? target.address}:${port}`);
  }
  if (handler.tcpSocket !== undefined) {
    const port = portOf(container, handler.tcpSocket.port);
    if (port === undefined) return { kind: 'error', message: unknownPort(handler.tcpSocket.port) };
    const address = `${handler.tcpSocket.host ?? target.address}:${port}`;
    const answer = yield* ask(process, machine, target, { kind: 'tcp', port }, timeoutUs);
    if (answer === undefined) return { kind: 'failure', message: `dial tcp ${address}: i/o timeout` };
    return answer.outcome.kind === 'open'
      ? { kind: 'success', stable: answer.stable }
      : { kind: 'failure', message: `dial tcp ${address}: connect: connection refused` };
  }
  if ('grpc' in handler && handler.grpc !== undefined) {
    const { port, service = '' } = handler.grpc;
    const answer = yield* ask(process, machine, target, { kind: 'grpc', port, service }, timeoutUs);
    return grpcOutcome(answer, `${target.address}:${port}`, timeoutUs);
  }
  if ('sleep' in handler && handler.sleep !== undefined) {
    yield* process.sleep(handler.sleep.seconds * SECOND);
    return { kind: 'success', stable: false };
  }
  return { kind: 'success', stable: true };
}

function unknownPort(port: string | number | undefined): string {
  return typeof port === 'string'
    ? `strconv.Atoi: parsing ${JSON.stringify(port)}: invalid syntax`
    : `invalid port number: ${String(port)}`;
}

/** Undefined: no answer in time. */
function* ask(
  process: Process,
  machine: Machine,
  target: ProbeTarget,
  request: AppRequest,
  timeoutUs: Micros,
): Task<AppAnswer | undefined> {
  const running = machine.container(target.containerId);
  if (running?.app === undefined || running.exit !== undefined) {
    // The address goes with the sandbox: from then on nobody even refuses.
    if (process.world.network.endpoint(target.address, 'probe').host === undefined) {
      yield* process.sleep(timeoutUs);
      return undefined;
    }
    yield* process.sleep(CONNECT_US);
    return { outcome: { kind: 'refused' }, afterUs: CONNECT_US, stable: false };
  }
  if (running.process.state === 'paused') {
    yield* process.sleep(timeoutUs);
    return undefined;
  }
  const answer = running.app.answer(request);
  if (answer.afterUs + CONNECT_US >= timeoutUs) {
    yield* process.sleep(timeoutUs);
    return undefined;
  }
  yield* process.sleep(answer.afterUs + CONNECT_US);
  return answer;
}

function httpOutcome(answer: AppAnswer | undefined, url: string, address: string): ProbeOutcome {
  if (answer === undefined)
    return { kind: 'failure', message: `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)` };
  const { outcome } = answer;
  switch (outcome.kind) {
    case 'http':
      if (outcome.status >= 300 && outcome.status < 400) {
        return { kind: 'warning', message: `Probe terminated redirects, Response body: ${outcome.body.slice(0, BODY_MAX)}` };
      }
      if (outcome.status >= 200 && outcome.status < 300) return { kind: 'success', stable: answer.stable };
      return { kind: 'failure', message: `HTTP probe failed with statuscode: ${outcome.status}` };
    case 'protocol-error':
      return { kind: 'failure', message: `Get "${url}": ${outcome.message}` };
    default:
      return { kind: 'failure', message: `Get "${url}": dial tcp ${address}: connect: connection refused` };
  }
}

function grpcOutcome(answer: AppAnswer | undefined, address: string, timeoutUs: Micros): ProbeOutcome {
  if (answer === undefined) return { kind: 'failure', message: `timeout: health rpc did not complete within ${goDuration(timeoutUs)}` };
  const { outcome } = answer;
  if (outcome.kind !== 'grpc')
    return {
      kind: 'failure',
      message: `timeout: failed to connect service ${JSON.stringify(address)} within ${goDuration(timeoutUs)}: context deadline exceeded`,
    };
  switch (outcome.status) {
    case 'SERVING':
      return { kind: 'success', stable: answer.stable };
    case 'NOT_SERVING':
      return { kind: 'failure', message: 'service unhealthy (responded with "NOT_SERVING")' };
    case 'NOT_FOUND':
      return { kind: 'failure', message: `rpc error: code = NotFound desc = unknown service` };
    case 'UNIMPLEMENTED':
      return { kind: 'failure', message: 'error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ' };
  }
}

function* callExec(cri: CriClient, target: ProbeTarget, command: readonly string[], timeoutUs: Micros): Task<ProbeOutcome> {
  const result = yield* cri.call(
    'ExecSync',
    { containerId: target.containerId, command, timeoutUs },
    timeoutUs === 0 ? undefined : timeoutUs + 10 * SECOND,
  );
  if (!result.ok) return { kind: 'error', message: result.message };
  const { outcome, timedOut, stable } = result.value;
  if (timedOut) return { kind: 'failure', message: `command timed out: "${command.join(' ')}" timed out after ${goDuration(timeoutUs)}` };
  if (outcome.kind === 'exec-error') return { kind: 'error', message: outcome.message };
  if (outcome.kind !== 'exit') return { kind: 'error', message: 'rpc error: code = Unknown desc = exec is not possible' };
  if (outcome.code !== 0) return { kind: 'failure', message: outcome.output, exitCode: outcome.code };
  return { kind: 'success', stable };
}

/** Upstream probe defaults: timeout 1 s, as the API server fills in. */
export function probeTimeout(probe: Probe): Micros {
  return Math.max(1, probe.timeoutSeconds ?? 1) * SECOND;
}

/** Lower limit of a tick, so that a period of 0 in a hand-made object does not spin. */
export function probePeriod(probe: Probe): Micros {
  return Math.max(100 * MILLISECOND, (probe.periodSeconds ?? 10) * SECOND);
}
