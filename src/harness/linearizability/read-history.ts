import { isEtcdLog, parseEtcdLog } from './formats/etcd-log.ts';
import { isJsonLines, parseJsonLines } from './formats/json-lines.ts';
import { isKeyValueText, parseKeyValueText } from './formats/key-value-text.ts';
import type { History, Operation } from './history.ts';

interface HistoryFormat {
  readonly name: string;
  readonly isOf: (text: string) => boolean;
  readonly parse: (text: string) => readonly Operation[];
  /** The model that a history of the form is about, unless something else is said. */
  readonly modelOf: (operations: readonly Operation[]) => string;
}

const formats: readonly HistoryFormat[] = [
  { name: 'etcd log', isOf: isEtcdLog, parse: parseEtcdLog, modelOf: () => 'etcd-register' },
  { name: 'key-value text', isOf: isKeyValueText, parse: parseKeyValueText, modelOf: () => 'kv' },
  { name: 'JSON lines', isOf: isJsonLines, parse: parseJsonLines, modelOf: jsonModel },
];

function jsonModel(operations: readonly Operation[]): string {
  if (operations.some(({ f }) => f === 'acquire' || f === 'release')) return 'mutex';
  if (operations.some(({ output }) => typeof output === 'object' && output !== null && 'revision' in output)) return 'etcd';
  return operations.some(({ f }) => f === 'get' || f === 'put' || f === 'append') ? 'kv' : 'cas-register';
}

/** Whether a text is a history in one of the known forms. */
export function isHistory(text: string): boolean {
  return formats.some((format) => format.isOf(text));
}

/** Reads a history; its form is told by its content. Undefined where it has none of the known forms. @throws HistoryError */
export function readHistory(text: string): (History & { readonly format: string; readonly model: string }) | undefined {
  const format = formats.find((each) => each.isOf(text));
  if (format === undefined) return undefined;
  const operations = format.parse(text);
  return { operations, format: format.name, model: format.modelOf(operations) };
}
