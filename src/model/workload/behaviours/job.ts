import type { Micros } from '../../../sim/time.ts';
import type { App, AppAnswer, AppEnvironment, AppRequest, Behaviour } from '../../kubelet/app.ts';
import { appSettings, jobTime } from '../app-settings.ts';

/** Runs for a while and ends well (or with the code of its annotation). */
export const job: Behaviour = {
  name: 'job',
  start: (environment) => {
    const { exitCode } = appSettings(environment.pod, environment.container);
    return new Task(environment, jobTime(environment.pod, environment.container), exitCode);
  },
};

/** Starts and ends with an error soon after, every time. */
export const crash: Behaviour = {
  name: 'crash',
  start: (environment) => {
    const { exitAfterUs, exitCode } = appSettings(environment.pod, environment.container);
    return new Task(environment, exitAfterUs ?? 1_000_000, exitCode === 0 ? 1 : exitCode);
  },
};

/** Something that runs for so long, then ends with that code: the heart of `sleep N` and of jobs. */
export function runsFor(name: string, us: Micros, exitCode: number): Behaviour {
  return { name, start: (environment) => new Task(environment, us, exitCode) };
}

class Task implements App {
  readonly #environment: AppEnvironment;

  constructor(environment: AppEnvironment, us: Micros, exitCode: number) {
    this.#environment = environment;
    if (us !== Number.POSITIVE_INFINITY) environment.process.after(us, () => environment.exit(exitCode));
  }

  signal(name: string): void {
    if (name === 'SIGTERM' || name === 'SIGINT') this.#environment.exit(143);
  }

  answer(request: AppRequest): AppAnswer {
    if (request.kind === 'exec') return { outcome: { kind: 'exit', code: 0, output: '' }, afterUs: 1_000, stable: true };
    return { outcome: { kind: 'refused' }, afterUs: 100, stable: true };
  }
}
