import { batch, effect } from '@preact/signals';
import { seconds } from './format.ts';
import { select, type TimeWindow, type ViewState } from './view-state.ts';

/** `#t=12.480&sel=e17&q=…`: what is worth sharing, only what differs from how the report opens. */
export function writeHash(view: ViewState): string {
  const parts = new URLSearchParams();
  parts.set('t', seconds(view.cursorUs.value));
  if (view.selected.value !== null) parts.set('sel', view.selected.value);
  if (view.query.value !== '') parts.set('q', view.query.value);
  if (view.showAll.value) parts.set('all', '1');
  if (view.isolate.value) parts.set('only', 'cause');
  if (view.scale.value === 'true') parts.set('scale', 'true');
  if (view.order.value === 'host') parts.set('by', 'host');
  const { fromUs, toUs } = view.window.value;
  if (fromUs !== view.firstWindow.fromUs || toUs !== view.firstWindow.toUs) parts.set('w', `${seconds(fromUs)}-${seconds(toUs)}`);
  return `#${parts.toString().replaceAll('%3A', ':').replaceAll('%21', '!')}`;
}

/** Applies a hash; one that is a section's name is left to the browser. */
export function readHash(view: ViewState, hash: string): void {
  const parts = new URLSearchParams(hash.replace(/^#/, ''));
  if (!['t', 'sel', 'q', 'all', 'only', 'scale', 'by', 'w'].some((key) => parts.has(key))) return;
  batch(() => {
    view.query.value = parts.get('q') ?? '';
    view.showAll.value = parts.get('all') === '1';
    view.isolate.value = parts.get('only') === 'cause';
    view.scale.value = parts.get('scale') === 'true' ? 'true' : 'folded';
    view.order.value = parts.get('by') === 'host' ? 'host' : 'role';
    view.window.value = readWindow(view, parts.get('w'));
    const id = parts.get('sel');
    if (id !== null) select(view, id);
    const at = Number(parts.get('t'));
    if (parts.has('t') && Number.isFinite(at))
      view.cursorUs.value = Math.min(view.index.report.run.endUs, Math.max(0, Math.round(at * 1e6)));
  });
}

function readWindow(view: ViewState, text: string | null): TimeWindow {
  const [from = Number.NaN, to = Number.NaN] = (text ?? '').split('-').map((part) => Math.round(Number.parseFloat(part) * 1e6));
  const { endUs } = view.index.report.run;
  return 0 <= from && from < to && to <= endUs ? { fromUs: from, toUs: to } : view.firstWindow;
}

/** Keeps the address and the view in step. Browsers limit how often an address may change, so it is written after things settle. */
export function syncHash(view: ViewState): void {
  readHash(view, location.hash);
  addEventListener('hashchange', () => readHash(view, location.hash));
  let timer: ReturnType<typeof setTimeout> | undefined;
  let first = true;
  effect(() => {
    const hash = writeHash(view);
    if (first) {
      first = false;
      return;
    }
    clearTimeout(timer);
    timer = setTimeout(() => history.replaceState(null, '', hash), 120);
  });
}
