import type { Endpoint } from '../../../sim/network.ts';
import { SECOND, type Micros } from '../../../sim/time.ts';
import type { Container } from '../../../model/api/types.ts';
import type { App, AppAnswer, AppEnvironment, AppOutcome, AppRequest, Behaviour } from '../../../model/kubelet/app.ts';

/** Values over time: `0:ok,3.5:503`. */
type Schedule = readonly { readonly atUs: Micros; readonly value: string }[];

function seconds(text: string): Micros {
  return Math.round(Number(text) * SECOND);
}

function schedule(text: string): Schedule {
  return text.split(',').map((part) => {
    const colon = part.indexOf(':');
    return colon < 0 ? { atUs: 0, value: part } : { atUs: seconds(part.slice(0, colon)), value: part.slice(colon + 1) };
  });
}

function valueAt(points: Schedule, at: Micros): string {
  let value = points[0]?.value ?? 'ok';
  for (const point of points) if (point.atUs <= at) value = point.value;
  return value;
}

const MIB = 1_048_576;
/** How fast the recordings' machine fills memory and disk: 2,000 MiB take 5 to 9 s, 2,600 MiB on disk 8 to 11 s. */
const MIB_PER_SECOND = 300;

/** The program of the recordings' images: goldens/kubelet/README.md, "The program". */
export const goldenProgram: Behaviour = {
  name: 'golden-program',
  startError: (container: Container) => {
    const [command] = container.command ?? [];
    const prefix =
      'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: ';
    if (command === undefined || command === '/prog') return undefined;
    return command === '/notexec'
      ? `${prefix}${JSON.stringify(command)}: permission denied: unknown`
      : `${prefix}${JSON.stringify(command)}: stat ${command}: no such file or directory: unknown`;
  },
  start: (environment) => new GoldenProgram(environment),
};

class GoldenProgram implements App {
  readonly #environment: AppEnvironment;
  readonly #args = new Map<string, string>();
  readonly #startedAt: Micros;
  readonly #endpoints: Endpoint[] = [];
  #run: number;
  #stopping = false;
  #watched: string | undefined;

  constructor(environment: AppEnvironment) {
    this.#environment = environment;
    const { process, container } = environment;
    this.#startedAt = process.mono();
    this.#run = environment.attempt;
    const words = [...(container.command ?? []).slice(1), ...(container.args ?? [])];
    for (const word of words) {
      const at = word.indexOf('=');
      if (at < 0) this.#args.set(word, '');
      else this.#args.set(word.slice(0, at), word.slice(at + 1));
    }
    const counter = this.#args.get('count-in');
    if (counter !== undefined) {
      this.#run = Number(environment.files.read(`${counter}/${container.name}`) ?? '0');
      environment.files.write(`${counter}/${container.name}`, String(this.#run + 1));
    }
    this.#log('start');
    this.#begin();
  }

  #log(line: string): void {
    this.#environment.log(`#${this.#environment.attempt} ${line}`);
  }

  #begin(): void {
    const { process, files, env } = this.#environment;
    const arg = (name: string) => this.#args.get(name);
    const show = arg('show-env');
    if (show !== undefined) {
      const all = { HOSTNAME: this.#environment.pod.spec.hostname ?? this.#environment.pod.metadata.name ?? '', ...env };
      this.#log(
        `env ${show
          .split(',')
          .sort()
          .map((name) => `${name}=${(all as Record<string, string>)[name] ?? '<unset>'}`)
          .join(' ')}`,
      );
    }
    const exitAfter = this.#ofRun('exit-after');
    if (exitAfter !== undefined && exitAfter !== 'never')
      process.after(seconds(exitAfter), () => this.#exit(Number(this.#ofRun('exit-code') ?? '0'), 'done'));
    const mem = arg('mem');
    if (mem !== undefined) {
      process.after(seconds(arg('mem-after') ?? '0'), () => {
        this.#log(`allocating mib=${mem}`);
        this.#allocate(0, Number(mem));
      });
    }
    const write = arg('write');
    if (write !== undefined) {
      const colon = write.lastIndexOf(':');
      const size = Number(write.slice(colon + 1));
      process.after(seconds(arg('write-after') ?? '0'), () => {
        process.after(Math.round((size / MIB_PER_SECOND) * SECOND), () => {
          files.write(write.slice(0, colon), '', size * MIB);
          this.#log(`written mib=${size}`);
        });
      });
    }
    const watch = arg('watch');
    if (watch !== undefined) this.#look(watch);
    const open = () => {
      for (const name of ['http', 'tcp', 'grpc']) {
        const port = arg(name);
        if (port !== undefined) this.#listen(port);
      }
    };
    const delay = arg('start-delay');
    if (delay === undefined) open();
    else process.after(seconds(delay), open);
  }

  /** Touches page after page, so that the working set grows over time. */
  #allocate(fromMib: number, toMib: number): void {
    const mib = Math.min(fromMib + MIB_PER_SECOND / 10, toMib);
    this.#environment.process.after(Math.round(((mib - fromMib) / MIB_PER_SECOND) * SECOND), () => {
      this.#environment.useMemory(mib * MIB);
      if (mib < toMib) this.#allocate(mib, toMib);
      else this.#log('allocated');
    });
  }

  #ofRun(name: string): string | undefined {
    const list = this.#args.get(name)?.split(',');
    return list?.[Math.min(this.#run, list.length - 1)];
  }

  #listen(port: string): void {
    const { process, address } = this.#environment;
    const { network } = process.world;
    if (network.endpoint(address, port).listener?.process.alive === true) return;
    this.#endpoints.push(network.listen(process, address, port, { onAccept: () => ({ onMessage: () => undefined }) }));
  }

  #look(path: string): void {
    const content = this.#environment.files.read(path);
    if (content === this.#watched && content !== undefined) return;
    this.#watched = content;
    this.#log(`file content=${content ?? '<none>'}`);
  }

  volumeChanged(): void {
    const watch = this.#args.get('watch');
    if (watch !== undefined) this.#look(watch);
  }

  #exit(code: number, why: string): void {
    const { files, container } = this.#environment;
    const message = this.#args.get('message');
    if (message !== undefined) {
      const path = this.#args.get('message-path') ?? container.terminationMessagePath ?? '/dev/termination-log';
      files.write(path, /^\d+$/.test(message) ? 'm'.repeat(Number(message)) : message);
    }
    if (!this.#args.has('quiet')) this.#log(`exit code=${code} ${why}`);
    this.#environment.exit(code);
  }

  signal(name: string): void {
    this.#log(`signal ${name === 'SIGTERM' ? 'terminated' : name.toLowerCase().slice(3)}`);
    if (this.#args.has('ignore-term') || this.#stopping) return;
    this.#stopping = true;
    this.#environment.process.after(seconds(this.#args.get('stop-after') ?? '0'), () =>
      this.#exit(Number(this.#args.get('term-code') ?? '0'), 'stopped'),
    );
  }

  answer(request: AppRequest): AppAnswer {
    const at = this.#environment.process.mono() - this.#startedAt;
    const isOpen = at >= seconds(this.#args.get('start-delay') ?? '0');
    switch (request.kind) {
      case 'http':
        if (!isOpen || this.#args.get('http') !== String(request.port)) return refused;
        if (request.scheme === 'HTTPS')
          return answer({ kind: 'protocol-error', message: 'http: server gave HTTP response to HTTPS client' });
        return this.#http(request.path, at);
      case 'tcp':
        if (!isOpen || ![this.#args.get('tcp'), this.#args.get('http'), this.#args.get('grpc')].includes(String(request.port)))
          return refused;
        if (this.#args.get('tcp') === String(request.port)) {
          if (valueAt(schedule(this.#args.get('tcp-open') ?? '0:ok'), at) !== 'ok') return refused;
          this.#log('tcp');
        }
        return answer({ kind: 'open' });
      case 'grpc':
        return this.#grpc(request.port, request.service, at, isOpen);
      case 'exec':
        return this.#exec(request.command, at);
    }
  }

  #http(path: string, at: Micros): AppAnswer {
    const name = path.split('?')[0]?.slice(1) ?? '';
    const text = this.#args.get(name) ?? '0:ok';
    if (/^redirect[a-z]+:/.test(text)) {
      // The recordings' program does not survive an address in a schedule: its colon is taken for a time's.
      this.#environment.process.after(0, () => this.#environment.exit(99));
      return answer({ kind: 'protocol-error', message: 'EOF' });
    }
    const value = valueAt(schedule(text), at);
    this.#log(`http ${value} ${name}`);
    if (value.startsWith('hang')) return answer({ kind: 'http', status: 200, body: '' }, seconds(value.slice(4)));
    const redirect = /^redirect(.*)$/.exec(value);
    if (redirect !== null) {
      const target = redirect[1] ?? '';
      // Redirects to the same host are followed by the prober's client.
      if (target.startsWith('/'))
        return target === path ? answer({ kind: 'http', status: 302, body: '', location: target }) : this.#http(target, at);
      return answer({ kind: 'http', status: 302, body: `body of ${name}\n`, location: target });
    }
    if (value === 'ok') return answer({ kind: 'http', status: 200, body: `body of ${name}\n` });
    return answer({ kind: 'http', status: Number(value), body: `body of ${name}\n` });
  }

  #grpc(port: number, service: string, at: Micros, isOpen: boolean): AppAnswer {
    if (!isOpen || this.#args.get('grpc') !== String(port)) return refused;
    const value = valueAt(schedule(this.#args.get(service === '' ? 'health' : `health-${service}`) ?? '0:ok'), at);
    this.#log(`grpc ${value} ${JSON.stringify(service)}`);
    switch (value) {
      case 'ok':
        return answer({ kind: 'grpc', status: 'SERVING' });
      case 'no':
        return answer({ kind: 'grpc', status: 'NOT_SERVING' });
      case 'unknown-service':
        return answer({ kind: 'grpc', status: 'NOT_FOUND' });
      case 'unimplemented':
        return answer({ kind: 'grpc', status: 'UNIMPLEMENTED' });
      default:
        return answer({ kind: 'grpc', status: 'SERVING' }, seconds(value.slice(4)));
    }
  }

  #exec(command: readonly string[], at: Micros): AppAnswer {
    const [program = '', verb, name = '', third = '', fourth = '0'] = command;
    if (program !== '/prog') {
      const message = `rpc error: code = Unknown desc = failed to exec in container: failed to start exec "<id>": OCI runtime exec failed: exec failed: unable to start container process: exec: ${JSON.stringify(program)}: stat ${program}: no such file or directory: unknown`;
      return answer({ kind: 'exec-error', message });
    }
    if (verb === 'probe') {
      const value = valueAt(schedule(third), at);
      this.#log(`exec ${value} ${name}`);
      if (value === 'ok') return answer({ kind: 'exit', code: 0, output: 'fine\n' });
      if (value.startsWith('hang')) return answer({ kind: 'exit', code: 0, output: '' }, seconds(value.slice(4)));
      return answer({ kind: 'exit', code: Number(value), output: 'not fine\n' });
    }
    if (verb === 'hook') {
      this.#log(`hook-start ${name}`);
      const { process } = this.#environment;
      const timer = process.after(seconds(third), () => this.#log(`hook-end ${name}`));
      const outcome: AppOutcome = { kind: 'exit', code: Number(fourth), output: fourth === '0' ? '' : 'hook says no\n' };
      return { outcome, afterUs: seconds(third), stable: false, cancel: () => process.cancel(timer) };
    }
    return answer({ kind: 'exit', code: 1, output: '' });
  }
}

const refused: AppAnswer = { outcome: { kind: 'refused' }, afterUs: 100, stable: false };

function answer(outcome: AppOutcome, afterUs: Micros = 500): AppAnswer {
  return { outcome, afterUs, stable: false };
}
