import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { EventId, Micros, ReportEvent } from '../document.ts';
import { eventFilter } from './event-filter.ts';
import { causeChain, indexDocument, openingEvent, type ReportIndex } from './index-of-document.ts';
import type { ReportDocument } from '../document.ts';

export type TimeScaleName = 'folded' | 'true';
export type LaneOrder = 'role' | 'host';

export interface TimeWindow {
  readonly fromUs: Micros;
  readonly toUs: Micros;
}

/** All that the reader can change, one signal each; every panel redraws from these. */
export interface ViewState {
  readonly index: ReportIndex;
  readonly selected: Signal<EventId | null>;
  /** The time cursor; follows the selection, and `←` `→` move it alone. */
  readonly cursorUs: Signal<Micros>;
  readonly query: Signal<string>;
  readonly isolate: Signal<boolean>;
  readonly showAll: Signal<boolean>;
  readonly scale: Signal<TimeScaleName>;
  readonly order: Signal<LaneOrder>;
  readonly window: Signal<TimeWindow>;
  /** The window that the report opened with. */
  readonly firstWindow: TimeWindow;
  /** Events that light up because a sentence is pointed at. */
  readonly hovered: Signal<ReadonlySet<EventId>>;
  readonly helpOpen: Signal<boolean>;
  readonly toast: Signal<string>;
  readonly chain: ReadonlySignal<ReadonlySet<EventId>>;
  readonly matches: ReadonlySignal<((event: ReportEvent) => boolean) | undefined>;
  /** In the window, and in the slice unless all are shown; sorted by time. */
  readonly visible: ReadonlySignal<readonly ReportEvent[]>;
}

export function createViewState(report: ReportDocument): ViewState {
  const index = indexDocument(report);
  const first = openingEvent(index);
  const selected = signal<EventId | null>(first);
  const query = signal('');
  const showAll = signal(false);
  const firstWindow = openingWindow(index);
  const window = signal<TimeWindow>(firstWindow);
  return {
    index,
    selected,
    query,
    showAll,
    window,
    firstWindow,
    cursorUs: signal(first === null ? 0 : (index.eventById.get(first)?.atUs ?? 0)),
    isolate: signal(false),
    scale: signal<TimeScaleName>('folded'),
    order: signal<LaneOrder>('role'),
    hovered: signal<ReadonlySet<EventId>>(new Set()),
    helpOpen: signal(false),
    toast: signal(''),
    chain: computed(() => causeChain(index, selected.value)),
    matches: computed(() => eventFilter(index, query.value)),
    visible: computed(() => {
      const { fromUs, toUs } = window.value;
      return report.events.filter((event) => (event.important || showAll.value) && fromUs <= event.atUs && event.atUs <= toUs);
    }),
  };
}

/** What the document proposes, else the slice and its faults with a margin. */
function openingWindow(index: ReportIndex): TimeWindow {
  const { run, events, faults } = index.report;
  if (run.window !== undefined) return run.window;
  const times = [
    ...events.filter((event) => event.important).map((event) => event.atUs),
    ...faults.flatMap((fault) => [fault.injectUs, fault.healUs ?? fault.injectUs]),
  ];
  if (times.length === 0) return { fromUs: 0, toUs: run.endUs };
  const from = times.reduce((least, at) => Math.min(least, at));
  const to = times.reduce((most, at) => Math.max(most, at));
  const margin = Math.max(run.endUs / 100, (to - from) / 25);
  return { fromUs: Math.max(0, Math.floor(from - margin)), toUs: Math.min(run.endUs, Math.ceil(to + margin)) };
}

/** Selects an event and brings it into view: widens the window or shows all events when it would be hidden. */
export function select(view: ViewState, id: EventId): void {
  const event = view.index.eventById.get(id);
  if (event === undefined) return;
  batch(() => {
    view.selected.value = id;
    view.cursorUs.value = event.atUs;
    if (!event.important) view.showAll.value = true;
    const { fromUs, toUs } = view.window.value;
    if (event.atUs < fromUs || event.atUs > toUs) {
      view.window.value = { fromUs: Math.min(fromUs, event.atUs), toUs: Math.max(toUs, event.atUs) };
    }
  });
}

/** `j` and `k`: the next or previous event that is shown and matches the filter, counted from the cursor. */
export function step(view: ViewState, by: 1 | -1): void {
  const matches = view.matches.value;
  const list = view.visible.value.filter((event) => matches === undefined || matches(event));
  const at = list.findIndex((event) => event.id === view.selected.value);
  const cursor = view.cursorUs.value;
  const next = at >= 0 ? list[at + by] : by > 0 ? list.find((event) => event.atUs > cursor) : list.findLast((event) => event.atUs < cursor);
  if (next !== undefined) select(view, next.id);
}

/** `[` and `]`: the previous or next event at which a fault begins or ends. */
export function stepFault(view: ViewState, by: 1 | -1): void {
  const faults = view.index.report.events.filter((event) => event.mark === 'inject' || event.mark === 'crash' || event.mark === 'heal');
  const cursor = view.cursorUs.value;
  const next = by > 0 ? faults.find((event) => event.atUs > cursor) : faults.findLast((event) => event.atUs < cursor);
  if (next !== undefined) select(view, next.id);
}

/** `c`: the earliest cause of the selected event. */
export function selectFirstCause(view: ViewState): void {
  const chain = [...view.chain.value].filter((id) => id !== view.selected.value);
  const order = (id: EventId) => view.index.orderByEvent.get(id) ?? 0;
  const first = chain.sort((a, b) => order(a) - order(b))[0];
  if (first !== undefined) select(view, first);
}

export function selectViolation(view: ViewState): void {
  const id = view.index.report.violations.find((violation) => violation.eventId !== undefined)?.eventId ?? openingEvent(view.index);
  if (id !== null && id !== undefined) select(view, id);
}
