import type { Endpoint } from '../../sim/network.ts';
import type { Process } from '../../sim/process.ts';
import type { Program } from '../../sim/host.ts';
import { MILLISECOND } from '../../sim/time.ts';
import type { ApiObject } from '../api/object.ts';
import type { WatchEvent } from '../api/request.ts';
import { CONFIG_MAPS } from '../client/resources.ts';
import { isExpired } from '../client/result.ts';
import { ApiTransport } from '../client/transport.ts';
import { Client } from '../client/typed-client.ts';
import type { Facts } from '../facts.ts';
import { AUTOMATION } from './automation-user.ts';

/** A program outside the cluster that follows the ConfigMaps of a namespace, and tells as facts what it is told. */
export interface ConfigWatcherOptions {
  /** Number of the watcher, from 0: names it and picks its API server. */
  readonly index: number;
  readonly servers: readonly Endpoint[];
  readonly namespace: string;
  readonly facts: Facts;
}

/** Numbers of its watches, apart from those of the store's clients. */
const FIRST_WATCH = 1_000_000;
const WATCH_STEP = 100_000;
const AGAIN_US = 20 * MILLISECOND;

/** Lists, watches from there, goes on after a break behind the last version that it saw, and lists anew when the server says 410. */
export function configWatcher(options: ConfigWatcherOptions): Program {
  const name = `config-watcher-${options.index}`;
  return { name, start: (process) => new ConfigWatcher(process, name, options).list() };
}

class ConfigWatcher {
  readonly #process: Process;
  readonly #name: string;
  readonly #options: ConfigWatcherOptions;
  readonly #transport: ApiTransport;
  readonly #prefix: string;
  #watch: number;
  #version = '';

  constructor(process: Process, name: string, options: ConfigWatcherOptions) {
    const { servers, index, namespace } = options;
    this.#process = process;
    this.#name = name;
    this.#options = options;
    this.#prefix = `/registry/configmaps/${namespace}/`;
    this.#watch = FIRST_WATCH + index * WATCH_STEP + process.incarnation * 10_000;
    const preferred = index % Math.max(1, servers.length);
    this.#transport = new ApiTransport(process, { servers, preferred, user: AUTOMATION, userAgent: 'watcher' });
  }

  list(): void {
    const { namespace } = this.#options;
    this.#process.spawn('list', this.#listOnce(namespace));
  }

  *#listOnce(namespace: string) {
    const listed = yield* new Client(this.#transport).resource(CONFIG_MAPS).list(namespace);
    if (!listed.ok) {
      this.#process.after(AGAIN_US * 10, () => this.list());
      return;
    }
    this.#version = listed.object.metadata.resourceVersion ?? '';
    this.#open();
  }

  #open(): void {
    const { facts, namespace } = this.#options;
    const watch = ++this.#watch;
    let told = false;
    const { group, version, resource } = CONFIG_MAPS;
    this.#transport.watch(
      {
        group,
        version,
        resource,
        namespace,
        verb: 'watch',
        options: { resourceVersion: this.#version, allowWatchBookmarks: true },
      },
      {
        onEvents: (events) => {
          for (const event of events as readonly WatchEvent<ApiObject>[]) {
            if (event.type === 'ERROR') {
              this.#version = '';
              continue;
            }
            if (!told) {
              told = true;
              const rangeEnd = `${this.#prefix.slice(0, -1)}0`;
              facts.watchOpened.emit(watch, this.#name, this.#server(), this.#prefix, rangeEnd, Number(this.#version) + 1, '');
            }
            const { metadata } = event.object as ApiObject;
            this.#version = metadata.resourceVersion ?? this.#version;
            const revision = Number(this.#version);
            if (event.type === 'BOOKMARK') facts.watchProgress.emit(watch, revision);
            else
              facts.watchEvent.emit(watch, revision, 0, `${this.#prefix}${metadata.name}`, event.type === 'DELETED' ? 'DELETE' : 'PUT', 0);
          }
        },
        onEnd: (failure) => {
          if (told) facts.watchClosed.emit(watch, failure?.reason ?? 'closed', 0);
          const startsOver = this.#version === '' || (failure !== undefined && isExpired(failure));
          this.#process.after(AGAIN_US, () => (startsOver ? this.list() : this.#open()));
        },
      },
    );
  }

  #server(): string {
    return this.#transport.server.replace(/^cp-/, 'api-');
  }
}
