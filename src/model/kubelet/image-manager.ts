import type { Process } from '../../sim/process.ts';
import { type Task, suspend } from '../../sim/task.ts';
import type { Micros } from '../../sim/time.ts';
import type { Container, Pod } from '../api/types.ts';
import { goDuration, KeyedBackOff } from './back-off.ts';
import type { KubeletConfig } from './config.ts';
import type { CriClient, CriResult, ImageRecord, PullCredentials } from './cri.ts';
import type { PodEvents } from './pod-events.ts';
import { parseImageName } from './runtime/image-name.ts';
import { failed, type SyncStep } from './sync-error.ts';

interface Waiting {
  readonly pull: () => Task<CriResult<ImageRecord>>;
  readonly done: (result: CriResult<ImageRecord>) => void;
}

/** Sees to it that a container's image is on the node: upstream pkg/kubelet/images/image_manager.go. */
export class ImageManager {
  readonly #process: Process;
  readonly #cri: CriClient;
  readonly #events: PodEvents;
  readonly #backOff: KeyedBackOff;
  /** The last error of a pull, shown while it is backed off from. */
  readonly #lastErrors = new Map<string, string>();
  readonly #parallel: number;
  readonly #waiting: Waiting[] = [];
  #active = 0;

  constructor(process: Process, cri: CriClient, events: PodEvents, config: KubeletConfig) {
    this.#process = process;
    this.#cri = cri;
    this.#events = events;
    this.#backOff = new KeyedBackOff(config.imagePullBackOffInitialUs, config.imagePullBackOffMaxUs);
    this.#parallel = config.serializeImagePulls
      ? 1
      : config.maxParallelImagePulls === 0
        ? Number.POSITIVE_INFINITY
        : config.maxParallelImagePulls;
  }

  *ensure(pod: Pod, container: Container, credentials: PullCredentials | undefined): Task<SyncStep<ImageRecord>> {
    const image = container.image ?? '';
    const events = this.#events;
    const parsed = parseImageName(image);
    if (typeof parsed === 'string') {
      const message = `Failed to apply default image tag ${JSON.stringify(image)}: couldn't parse image name ${JSON.stringify(image)}: ${parsed}`;
      events.container(pod, container, 'Warning', 'InspectFailed', message);
      return failed('InvalidImageName', message);
    }
    const policy = container.imagePullPolicy ?? 'IfNotPresent';
    const found = yield* this.#cri.call('ImageStatus', { image });
    if (!found.ok) {
      const message = `Failed to inspect image ${JSON.stringify(image)}: ${found.message}`;
      events.container(pod, container, 'Warning', 'InspectFailed', message);
      return failed('ImageInspectError', message);
    }
    if (policy !== 'Always' && found.value !== undefined) {
      events.container(
        pod,
        container,
        'Normal',
        'Pulled',
        `Container image ${JSON.stringify(image)} already present on machine and can be accessed by the pod`,
      );
      return { ok: true, value: found.value };
    }
    if (policy === 'Never') {
      const message = `Container image ${JSON.stringify(image)} is not present with pull policy of Never`;
      events.container(pod, container, 'Warning', 'ErrImageNeverPull', message);
      return failed('ErrImageNeverPull', message);
    }
    return yield* this.#pull(pod, container, image, credentials);
  }

  *#pull(pod: Pod, container: Container, image: string, credentials: PullCredentials | undefined): Task<SyncStep<ImageRecord>> {
    const events = this.#events;
    const quoted = JSON.stringify(image);
    const key = `${pod.metadata.uid ?? ''}_${image}`;
    const asked = this.#process.wall();
    const until = this.#backOff.waitsSinceUpdate(key, asked);
    if (until !== undefined) {
      const last = this.#lastErrors.get(key);
      const message = `Back-off pulling image ${quoted}`;
      events.container(pod, container, 'Normal', 'BackOff', message);
      return failed('ImagePullBackOff', last === undefined ? message : `${message}: ErrImagePull: ${last}`);
    }
    events.container(pod, container, 'Normal', 'Pulling', `Pulling image ${quoted}`);
    let startedAt: Micros = asked;
    const client = this.#cri;
    const process = this.#process;
    const result = yield* this.#queue(function* (): Task<CriResult<ImageRecord>> {
      startedAt = process.wall();
      return yield* client.call('PullImage', { image, ...(credentials === undefined ? {} : { credentials }) });
    });
    const now = this.#process.wall();
    if (!result.ok) {
      // Upstream remote_image.go: the wrapping of an unknown code is taken off.
      const problem = result.code === 'Unknown' ? result.message.replace('rpc error: code = Unknown desc = ', '') : result.message;
      events.container(pod, container, 'Warning', 'Failed', `Failed to pull image ${quoted}: ${problem}`);
      this.#backOff.next(key, now, now);
      this.#lastErrors.set(key, problem);
      return failed('ErrImagePull', problem);
    }
    this.#lastErrors.delete(key);
    const took = goDuration(now - startedAt);
    const waited = goDuration(now - asked);
    events.container(
      pod,
      container,
      'Normal',
      'Pulled',
      `Successfully pulled image ${quoted} in ${took} (${waited} including waiting). Image size: ${result.value.sizeBytes} bytes.`,
    );
    return { ok: true, value: result.value };
  }

  /** Pulls one after the other, or as many side by side as the configuration allows. */
  *#queue(pull: () => Task<CriResult<ImageRecord>>): Task<CriResult<ImageRecord>> {
    return yield* suspend<CriResult<ImageRecord>>((resolve) => {
      this.#waiting.push({ pull, done: resolve });
      this.#next();
    });
  }

  #next(): void {
    while (this.#active < this.#parallel) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#active++;
      this.#process.spawn('pull', next.pull(), (result) => {
        this.#active--;
        next.done(result);
        this.#next();
      });
    }
  }
}
