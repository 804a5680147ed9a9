import { hashText } from '../../sim/mix.ts';
import { MILLISECOND, SECOND, type Micros } from '../../sim/time.ts';
import { quantityOf, quantityValue } from '../api/quantity.ts';
import type { Container, Pod } from '../api/types.ts';
import { parseDuration } from './duration.ts';

/** How one app behaves. Defaults come from its image's name, annotations of the pod change them. */
export interface AppSettings {
  /** From the start of the process until its ports listen. */
  readonly startUs: Micros;
  /** From the start until probes are answered well; at least `startUs`. */
  readonly readyAfterUs: Micros;
  readonly serviceTimeUs: Micros;
  /** After SIGTERM it goes on taking connections so long. */
  readonly drainUs: Micros;
  /** From the end of the drain to the exit, at most; open requests are answered first. */
  readonly shutdownUs: Micros;
  readonly ignoreSigterm: boolean;
  /** Ends by itself so long after its start. */
  readonly exitAfterUs: Micros | undefined;
  readonly exitCode: number;
  /** Working set from its start; 0: nothing worth counting. */
  readonly memoryBytes: number;
  /** Ports beyond those of the specification. */
  readonly ports: readonly number[];
}

/** Prefix of the annotations: `seatrial.dev/start: 2s`; `seatrial.dev/<container>.start` is for one container. */
export const ANNOTATION_PREFIX = 'seatrial.dev/';

/** Names of the annotations that set an app's behaviour. */
export const APP_ANNOTATIONS = [
  'behaviour',
  'start',
  'ready-after',
  'service-time',
  'drain',
  'shutdown',
  'ignore-sigterm',
  'exit-after',
  'exit-code',
  'memory',
  'ports',
  'webhook',
] as const;

export type AppAnnotation = (typeof APP_ANNOTATIONS)[number];

/** The value that a pod's annotations give for a container. */
export function appAnnotation(pod: Pod, container: Container, name: AppAnnotation): string | undefined {
  const annotations = pod.metadata.annotations;
  return annotations?.[`${ANNOTATION_PREFIX}${container.name}.${name}`] ?? annotations?.[`${ANNOTATION_PREFIX}${name}`];
}

/** Settings of a container's app. Malformed values fall back to the default; the scenario's validation names them before. */
export function appSettings(pod: Pod, container: Container): AppSettings {
  const hash = hashText(imagePath(container.image ?? ''));
  const duration = (name: AppAnnotation, fallback: Micros): Micros => {
    const text = appAnnotation(pod, container, name);
    return (text === undefined ? undefined : parseDuration(text)) ?? fallback;
  };
  // A small service starts within half a second, a runtime with a virtual machine takes up to some three.
  const startUs = duration('start', 200 * MILLISECOND + (hash % 1000) * 2 * MILLISECOND);
  const exitAfter = appAnnotation(pod, container, 'exit-after');
  return {
    startUs,
    readyAfterUs: Math.max(startUs, duration('ready-after', startUs)),
    serviceTimeUs: duration('service-time', MILLISECOND + (hash % 7) * MILLISECOND),
    drainUs: duration('drain', 0),
    shutdownUs: duration('shutdown', 300 * MILLISECOND),
    ignoreSigterm: appAnnotation(pod, container, 'ignore-sigterm') === 'true',
    exitAfterUs: exitAfter === undefined ? undefined : parseDuration(exitAfter),
    exitCode: Number(appAnnotation(pod, container, 'exit-code') ?? '0') || 0,
    memoryBytes: quantityValue(quantityOf(appAnnotation(pod, container, 'memory'))),
    ports: (appAnnotation(pod, container, 'ports') ?? '')
      .split(',')
      .map((port) => Number(port.trim()))
      .filter((port) => Number.isInteger(port) && port > 0),
  };
}

/** The image without registry, tag and digest: versions of one app start alike. */
export function imagePath(image: string): string {
  const bare = image.split('@')[0] ?? image;
  const colon = bare.lastIndexOf(':');
  return colon > bare.lastIndexOf('/') ? bare.slice(0, colon) : bare;
}

/** The image's tag, '' where it has none. */
export function imageTag(image: string): string {
  const bare = image.split('@')[0] ?? image;
  const colon = bare.lastIndexOf(':');
  return colon > bare.lastIndexOf('/') ? bare.slice(colon + 1) : '';
}

/** Ports that a container listens on: of its specification, its probes, its annotations. */
export function appPorts(container: Container, settings: AppSettings): readonly number[] {
  const ports = new Set<number>(settings.ports);
  for (const port of container.ports ?? []) if ((port.protocol ?? 'TCP') === 'TCP') ports.add(port.containerPort);
  for (const probe of [container.startupProbe, container.readinessProbe, container.livenessProbe]) {
    const target = probe?.httpGet?.port ?? probe?.tcpSocket?.port ?? probe?.grpc?.port;
    if (typeof target === 'number') ports.add(target);
  }
  return [...ports].sort((a, b) => a - b);
}

/** How long a container that runs to its end (a job, an init container) takes. */
export function jobTime(pod: Pod, container: Container): Micros {
  const text = appAnnotation(pod, container, 'exit-after');
  const hash = hashText(imagePath(container.image ?? '') + container.name);
  return (text === undefined ? undefined : parseDuration(text)) ?? SECOND + (hash % 4000) * MILLISECOND;
}
