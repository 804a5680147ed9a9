import { type ConformanceKind, errorText } from '../conformance-kind.ts';
import { readJsonLines, stepGap } from '../jsonl.ts';
import { isCase, type RecordedLine } from './recording.ts';
import { runEtcdRecording } from './run-etcd-recording.ts';

const fields = ['request', 'messages', 'until', 'observe', 'do', 'exit', 'holds', 'happened', 'oneOf'];

/** Some line is a step of a recording of etcd: those of the API server name their suite. */
function isEtcdRecording(text: string): boolean {
  if (!text.trimStart().startsWith('{') || !text.includes('"step"')) return false;
  return readJsonLines(text).some(
    (line) =>
      'value' in line &&
      typeof line.value['step'] === 'number' &&
      line.value['suite'] === undefined &&
      fields.some((field) => line.value[field] !== undefined),
  );
}

/** A case is a line with a request or an observation. */
export const kind: ConformanceKind = {
  isOfKind: isEtcdRecording,
  *run(file, isWanted) {
    const lines = readJsonLines(file.text);
    const readable = lines.filter((line) => 'value' in line);
    const differences = new Map<number, string | undefined>();
    let broken: string | undefined;
    try {
      const { cases } = runEtcdRecording(readable.map((line) => line.text).join('\n'));
      for (const { step, difference } of cases) differences.set(step, difference);
    } catch (error) {
      broken = errorText(error);
    }
    let previous: number | undefined;
    for (const line of lines) {
      if (!('value' in line)) {
        const name = `line ${line.number}`;
        if (isWanted(name)) yield { name, difference: line.problem };
        previous = (previous ?? 0) + 1;
        continue;
      }
      const recorded = line.value as unknown as RecordedLine;
      const gap = stepGap(previous, recorded.step);
      previous = recorded.step;
      const name = `step ${recorded.step} ${recorded.name}`;
      if (!isCase(recorded) || !isWanted(name)) continue;
      yield { name, difference: gap ?? broken ?? differences.get(recorded.step) };
    }
  },
};
