import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkHistory, DEFAULT_SEARCH_BUDGET, type HistoryVerdict, type Witness } from '../harness/linearizability/check.ts';
import { describeOperation } from '../harness/linearizability/history.ts';
import { HistoryError } from '../harness/linearizability/line-recorder.ts';
import type { SequentialModel } from '../harness/linearizability/model.ts';
import { MODEL_NAMES, modelNamed } from '../harness/linearizability/models.ts';
import { readHistory } from '../harness/linearizability/read-history.ts';
import { fileError } from '../harness/user-error.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { paint, print, printJson } from './terminal.ts';

export interface CheckHistoryOptions {
  readonly model?: string;
  readonly steps?: number;
  readonly json?: boolean;
}

/** How much of a long prefix is printed. */
const shownOperations = 12;

/** `seatrial check-history`: is a history from elsewhere linearizable? 0 yes, 1 no, 2 gave up. */
export async function checkHistoryFile(file: string, options: CheckHistoryOptions): Promise<ExitCode> {
  const history = read(file);
  const modelName = options.model ?? history.model;
  const model = await modelOf(modelName);
  const budget = options.steps === undefined ? DEFAULT_SEARCH_BUDGET : { ...DEFAULT_SEARCH_BUDGET, stepsMax: options.steps };
  let result: HistoryVerdict;
  try {
    result = checkHistory(history, model, budget);
  } catch (error) {
    // A model says so when a history asks for an operation that it does not have.
    throw fileError(file, error instanceof Error ? error.message : String(error), `another --model than ${modelName}`);
  }
  if (options.json === true) {
    const witness = result.verdict === 'illegal' ? { witness: witnessJson(result.witness) } : {};
    const { operations, steps, verdict } = result;
    printJson({
      schemaVersion: 1,
      type: 'history',
      file,
      model: model.name,
      format: history.format,
      verdict,
      operations,
      steps,
      ...witness,
    });
  } else printVerdict(file, model.name, result);
  return { linearizable: EXIT.passed, illegal: EXIT.violated, 'gave-up': EXIT.inconclusive }[result.verdict];
}

function read(file: string) {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw fileError(file, 'no such file, or it cannot be read');
  }
  try {
    const history = readHistory(text);
    if (history === undefined)
      throw fileError(
        file,
        'not a history',
        'JSON lines of {"process", "type", "f", "value"}, an etcd log of Jepsen, or a key-value history of porcupine',
      );
    return history;
  } catch (error) {
    if (error instanceof HistoryError) throw fileError(file, error.message);
    throw error;
  }
}

/** A model by its name, or the export `model` of a user's module. */
async function modelOf(name: string): Promise<SequentialModel<unknown>> {
  const known = modelNamed(name);
  if (known !== undefined) return known;
  if (!/[./\\]/.test(name))
    throw fileError('--model', `no model ${JSON.stringify(name)}`, `one of ${MODEL_NAMES.join(', ')}, or a module that exports model`);
  let module: { readonly model?: Partial<SequentialModel<unknown>> };
  try {
    module = (await import(pathToFileURL(resolve(name)).href)) as typeof module;
  } catch (error) {
    throw fileError(name, `the module cannot be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { model } = module;
  if (typeof model?.step !== 'function' || typeof model.keyOf !== 'function' || !('initial' in model)) {
    throw fileError(name, 'the module exports no model', 'export const model = { name, initial, step(state, operation), keyOf(state) }');
  }
  return { ...model, name: model.name ?? name } as SequentialModel<unknown>;
}

function witnessJson({ partition, prefix, stuck }: Witness) {
  return { ...(partition === undefined ? {} : { partition }), prefix: prefix.map(describeOperation), stuck: describeOperation(stuck) };
}

function printVerdict(file: string, model: string, result: HistoryVerdict): void {
  const about = `${result.operations} operations, model ${model}, ${result.steps} steps`;
  if (result.verdict === 'linearizable') return print(`${paint('✓', 'green')} ${file} is linearizable (${about})`);
  if (result.verdict === 'gave-up') {
    const where = result.partition === undefined ? '' : ` in part ${JSON.stringify(result.partition)}`;
    return print(`${paint('?', 'yellow')} ${file}: gave up${where} (${about}); --steps raises the budget`);
  }
  const { partition, prefix, stuck } = result.witness;
  print(`${paint('✖', 'red')} ${file} is not linearizable (${about})`);
  if (partition !== undefined) print(`  part: ${JSON.stringify(partition)}`);
  print(
    `  the longest legal prefix has ${prefix.length} operations${prefix.length > shownOperations ? `, the last ${shownOperations}:` : ':'}`,
  );
  for (const operation of prefix.slice(-shownOperations)) print(`    ${describeOperation(operation)}`);
  print(`  no place for: ${describeOperation(stuck)}`);
}
