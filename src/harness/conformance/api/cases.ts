import type { ConformanceKind } from '../conformance-kind.ts';
import { readJsonLines, stepGap } from '../jsonl.ts';
import { runSuite } from './run-suite.ts';
import type { Exchange, Suite } from './suite.ts';

/** Some line is an exchange, or the head of a suite. */
function isApiRecording(text: string): boolean {
  if (!text.trimStart().startsWith('{') || !text.includes('"suite"')) return false;
  return readJsonLines(text).some(
    (line) =>
      'value' in line &&
      typeof line.value['suite'] === 'string' &&
      (line.value['exchanges'] !== undefined || line.value['method'] !== undefined),
  );
}

function isReadable({ step, method, path, status, watch }: Exchange): boolean {
  const isClose = watch?.action === 'close' && typeof watch.id === 'string';
  return typeof step === 'number' && (isClose || (typeof method === 'string' && typeof path === 'string' && typeof status === 'number'));
}

/** A case is an exchange. One that cannot be read or is missing failed; the others are still tried. */
export const kind: ConformanceKind = {
  isOfKind: isApiRecording,
  *run(file, isWanted) {
    const [first, ...rest] = readJsonLines(file.text);
    const hasHead = first !== undefined && 'value' in first && first.value['step'] === undefined;
    const lines = first === undefined ? [] : hasHead ? rest : [first, ...rest];
    const head: Readonly<Record<string, unknown>> = hasHead && 'value' in first ? first.value : {};
    const problems = new Map<number, string>();
    const exchanges: Exchange[] = [];
    const names: string[] = [];
    let previous: number | undefined;
    lines.forEach((line, i) => {
      if (!('value' in line)) {
        problems.set(i, line.problem);
        names.push(`line ${line.number}`);
        previous = (previous ?? 0) + 1;
        return;
      }
      const exchange = line.value as unknown as Exchange;
      const problem = isReadable(exchange) ? stepGap(previous, exchange.step) : 'not an exchange: it needs step, method, path and status';
      if (problem !== undefined) problems.set(i, problem);
      if (typeof exchange.step === 'number') previous = exchange.step;
      names.push(`step ${exchange.step} ${exchange.name}`);
      if (isReadable(exchange)) exchanges.push(exchange);
    });
    const suite: Suite = {
      name: String(head['suite'] ?? exchanges[0]?.suite ?? file.shown),
      about: String(head['about'] ?? ''),
      serverFlags: (head['serverFlags'] ?? []) as readonly string[],
      exchanges,
    };
    if (names.some((name) => isWanted(name))) {
      const differences = new Map(runSuite(suite, file.path).map(({ step, difference }) => [step, difference]));
      for (const [i, name] of names.entries()) {
        const line = lines[i];
        if (!isWanted(name) || line === undefined) continue;
        const step = 'value' in line ? Number(line.value['step']) : -1;
        yield { name, difference: problems.get(i) ?? differences.get(step) };
      }
    }
    if (!hasHead && isWanted('head')) yield { name: 'head', difference: 'the head of the suite is missing or cannot be read' };
    for (let missing = lines.length; missing < Number(head['exchanges'] ?? 0); missing++) {
      const name = `exchange ${missing + 1}`;
      if (isWanted(name)) yield { name, difference: `the head counts ${head['exchanges']} exchanges, the file has ${lines.length}` };
    }
  },
};
