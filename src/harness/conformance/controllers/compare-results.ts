import { canonical } from './canonical-json.ts';
import type { Recording } from './recording.ts';
import type { StepResult } from './steps.ts';

/** Compares the API's answers to the steps. */
export function compareResults(recording: Recording, results: readonly StepResult[]): readonly string[] {
  const text = (result: {
    readonly step: number;
    readonly code?: number;
    readonly reason?: string;
    readonly message?: string;
    readonly drain?: string;
    readonly tries?: readonly string[];
  }): string =>
    canonical({
      step: result.step,
      code: result.code,
      reason: result.reason,
      message: result.message,
      drain: result.drain,
      tries: result.tries,
    });
  const expected = recording.results.map(text);
  const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
  const actual = results.map((result) => text(result).replaceAll(uuid, '<uuid>'));
  if (expected.join() === actual.join()) return [];
  return [`results: expected ${expected.join(' ')}, actual ${actual.join(' ')}`];
}
