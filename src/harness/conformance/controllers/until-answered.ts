import type { ApiResult } from '../../../model/client/result.ts';
import type { Process } from '../../../sim/process.ts';
import type { Task } from '../../../sim/task.ts';
import { SECOND } from '../../../sim/time.ts';

/** No server said what became of it: nobody answered, or the one that did cannot do its work. */
export function isUnanswered(code: number, message: string): boolean {
  // An eviction that two budgets disagree on is answered with 500, and will be.
  if (code === 500 && message.includes('more than one PodDisruptionBudget')) return false;
  return code === 0 || code === 500 || code === 503 || code === 504;
}

/** Asks again every second while no server answers. What is asked must do no harm when it is done twice. */
export function* untilAnswered<T>(process: Process, ask: () => Task<ApiResult<T>>): Task<ApiResult<T>> {
  for (;;) {
    const answer = yield* ask();
    if (answer.ok || !isUnanswered(answer.code, answer.message)) return answer;
    yield* process.sleep(SECOND);
  }
}
