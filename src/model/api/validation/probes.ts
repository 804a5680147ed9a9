import type { Container, ExecAction, GRPCAction, HTTPGetAction, Probe, TCPSocketAction } from '../types.ts';
import { type FieldErrors, forbidden, invalid, notSupported, required } from './field-errors.ts';
import { isHttpHeaderName } from './names.ts';
import { checkNonNegative, checkPortNumberOrName } from './numbers.ts';

/** Probes and lifecycle hooks. Upstream: validateProbe, validateHandler of pkg/apis/core/validation. */

interface Handler {
  readonly exec?: ExecAction;
  readonly httpGet?: HTTPGetAction;
  readonly tcpSocket?: TCPSocketAction;
  readonly grpc?: GRPCAction;
  readonly sleep?: { readonly seconds: number };
}

export type ProbeRole = 'livenessProbe' | 'readinessProbe' | 'startupProbe';

export function checkProbe(
  probe: Probe | undefined,
  role: ProbeRole,
  container: string,
  graceSeconds: number | undefined,
  out: FieldErrors,
): void {
  if (probe === undefined) return;
  const field = `${container}.${role}`;
  checkHandler(probe, graceSeconds, field, out);
  checkNonNegative(probe.initialDelaySeconds, `${field}.initialDelaySeconds`, out);
  checkNonNegative(probe.timeoutSeconds, `${field}.timeoutSeconds`, out);
  checkNonNegative(probe.periodSeconds, `${field}.periodSeconds`, out);
  checkNonNegative(probe.successThreshold, `${field}.successThreshold`, out);
  checkNonNegative(probe.failureThreshold, `${field}.failureThreshold`, out);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) out.push(invalid(`${field}.terminationGracePeriodSeconds`, grace, 'must be greater than 0'));
  if (role === 'readinessProbe') {
    if (grace !== undefined) out.push(invalid(`${field}.terminationGracePeriodSeconds`, grace, 'must not be set for readinessProbes'));
  } else if (probe.successThreshold !== 1) out.push(invalid(`${field}.successThreshold`, probe.successThreshold ?? 0, 'must be 1'));
}

/** validateLifecycle. */
export function checkLifecycle(
  container: Container,
  field: string,
  graceSeconds: number | undefined,
  osName: string | undefined,
  out: FieldErrors,
): void {
  const lifecycle = container.lifecycle;
  if (lifecycle === undefined) return;
  if (lifecycle.postStart !== undefined) checkHandler(lifecycle.postStart, graceSeconds, `${field}.lifecycle.postStart`, out);
  if (lifecycle.preStop !== undefined) checkHandler(lifecycle.preStop, graceSeconds, `${field}.lifecycle.preStop`, out);
  if (lifecycle.stopSignal !== undefined && osName === undefined) {
    out.push(forbidden(`${field}.lifecycle.stopSignal`, 'may not be set for containers with empty `spec.os.name`'));
  }
}

function checkHandler(handler: Handler, graceSeconds: number | undefined, field: string, out: FieldErrors): void {
  let count = 0;
  const first = (name: string): boolean => {
    if (count++ === 0) return true;
    out.push(forbidden(`${field}.${name}`, 'may not specify more than 1 handler type'));
    return false;
  };
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (exec !== undefined && first('exec') && (exec.command ?? []).length === 0) out.push(required(`${field}.exec.command`));
  if (httpGet !== undefined && first('httpGet')) checkHttpGet(httpGet, `${field}.httpGet`, out);
  if (tcpSocket !== undefined && first('tcpSocket')) checkPortNumberOrName(tcpSocket.port ?? 0, `${field}.tcpSocket.port`, out);
  if (grpc !== undefined && first('grpc')) checkPortNumberOrName(grpc.port ?? 0, `${field}.grpc.port`, out);
  if (sleep !== undefined && first('sleep') && graceSeconds !== undefined) {
    const seconds = sleep.seconds ?? 0;
    if (seconds < 0 || seconds > graceSeconds) {
      out.push(invalid(`${field}.sleep`, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`));
    }
  }
  if (count === 0) out.push(required(field, 'must specify a handler type'));
}

function checkHttpGet(action: HTTPGetAction, field: string, out: FieldErrors): void {
  if ((action.path ?? '') === '') out.push(required(`${field}.path`));
  checkPortNumberOrName(action.port ?? 0, `${field}.port`, out);
  const scheme: string = action.scheme ?? '';
  if (scheme !== 'HTTP' && scheme !== 'HTTPS') out.push(notSupported(`${field}.scheme`, scheme, ['HTTP', 'HTTPS']));
  for (const header of action.httpHeaders ?? []) {
    for (const message of isHttpHeaderName(header.name ?? '')) out.push(invalid(`${field}.httpHeaders`, header.name ?? '', message));
  }
}
