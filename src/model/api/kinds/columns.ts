import type { KindContext, PrinterColumn } from '../kind.ts';
import type { ApiObject } from '../object.ts';
import { parseTime } from '../time.ts';
import type { Container, LabelSelector, PodTemplateSpec } from '../types.ts';
import texts from './column-texts.json' with { type: 'json' };

/**
 * Printer columns and the cells that many kinds share.
 * Upstream: pkg/printers/internalversion/printers.go; durations as k8s.io/apimachinery/pkg/util/duration.
 */
export type Cell<T> = (object: T, context: KindContext) => string | number | boolean | null;
export type ColumnRow<T> = readonly [name: string, type: PrinterColumn<T>['type'], cell: Cell<T>, priority?: number, format?: string];

const descriptions: Readonly<Record<string, Readonly<Record<string, string>>>> = texts;

/** Columns after Name. `resource` ('deployments.apps') finds their descriptions. */
export function columns<T extends ApiObject>(resource: string, rows: readonly ColumnRow<T>[]): readonly PrinterColumn<T>[] {
  return columnsWithoutName<T>(resource, [['Name', 'string', (object) => object.metadata.name ?? '', 0, 'name'], ...rows]);
}

/** Columns of a table that does not begin with the name. */
export function columnsWithoutName<T extends ApiObject>(resource: string, rows: readonly ColumnRow<T>[]): readonly PrinterColumn<T>[] {
  return rows.map(([name, type, cell, priority = 0, format = '']) => ({
    name,
    type,
    format,
    description: descriptions[resource]?.[name] ?? descriptions['']?.[name] ?? '',
    priority,
    cell,
  }));
}

export const unset = '<unset>';
export const none = '<none>';

/** The Age column: translateTimestampSince(CreationTimestamp). */
export function age<T extends ApiObject>(): ColumnRow<T> {
  return ['Age', 'string', (object, context) => since(object.metadata.creationTimestamp, context)];
}

/** The 'Created At' column, which prints the time itself. */
export function createdAt<T extends ApiObject>(): ColumnRow<T> {
  return ['Created At', 'date', (object) => object.metadata.creationTimestamp ?? null];
}

/** How long ago a time was, or <unknown> where there is none. */
export function since(time: string | null | undefined, context: KindContext): string {
  const us = time === undefined || time === null ? undefined : parseTime(time);
  return us === undefined ? '<unknown>' : humanDuration(Math.floor((context.nowUs - us) / 1_000_000));
}

/** duration.HumanDuration of whole seconds. */
export function humanDuration(seconds: number): string {
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`;
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`;
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (hours < 192) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`;
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.floor(days / 365);
  if (hours < 24 * 365 * 8) return days % 365 === 0 ? `${years}y` : `${years}y${days % 365}d`;
  return `${years}y`;
}

type StringMap = Readonly<Record<string, string>>;

/** labels.FormatLabels: sorted, <none> where there are none. */
export function formatLabels(labels: StringMap | undefined): string {
  const keys = labels === undefined ? [] : Object.keys(labels).sort();
  return keys.length === 0 ? none : keys.map((key) => `${key}=${labels?.[key]}`).join(',');
}

/** metav1.FormatLabelSelector. */
export function formatSelector(selector: LabelSelector | undefined): string {
  if (selector === undefined) return none;
  const parts: { readonly key: string; readonly text: string }[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) parts.push({ key, text: `${key}=${value}` });
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const list = `(${[...values].sort().join(',')})`;
    switch (operator as string) {
      case 'In':
        parts.push({ key, text: `${key} in ${list}` });
        break;
      case 'NotIn':
        parts.push({ key, text: `${key} notin ${list}` });
        break;
      case 'Exists':
        parts.push({ key, text: key });
        break;
      case 'DoesNotExist':
        parts.push({ key, text: `!${key}` });
        break;
      default:
        return '<error>';
    }
  }
  parts.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return parts.length === 0 ? none : parts.map((p) => p.text).join(',');
}

function containersOf(template: PodTemplateSpec | undefined): readonly Container[] {
  return template?.spec?.containers ?? [];
}

/** The wide columns of everything that makes pods: container names and images. */
export function templateColumns<T extends ApiObject>(
  template: (object: T) => PodTemplateSpec | undefined,
  priority = 1,
): readonly ColumnRow<T>[] {
  return [
    [
      'Containers',
      'string',
      (object) =>
        containersOf(template(object))
          .map((c) => c.name)
          .join(','),
      priority,
    ],
    [
      'Images',
      'string',
      (object) =>
        containersOf(template(object))
          .map((c) => c.image ?? '')
          .join(','),
      priority,
    ],
  ];
}
