import { select, selectFirstCause, selectViolation, step, stepFault, type ViewState } from './view-state.ts';

/** Shown by `?`; the order of the help. */
export const KEY_HELP: readonly { readonly keys: readonly string[]; readonly does: string }[] = [
  { keys: ['j', 'k'], does: 'next, previous event' },
  { keys: ['←', '→'], does: 'move the time cursor; with Shift ten times as far' },
  { keys: ['[', ']'], does: 'previous, next fault' },
  { keys: ['v'], does: 'the violation' },
  { keys: ['p'], does: 'only the cause chain of the selected event' },
  { keys: ['c'], does: 'the first cause of the selected event' },
  { keys: ['/'], does: 'filter: node:etcd-2 kind:lost fault:F2 !vote' },
  { keys: ['Esc'], does: 'clear the filter, close' },
  { keys: ['?'], does: 'this list' },
];

/** Moves the cursor by a distance on the screen; the diagram sets it, because only it knows the folds. */
export type MoveCursor = (byPixels: number) => void;

export function listenToKeys(view: ViewState, moveCursor: MoveCursor): void {
  document.addEventListener('keydown', (event) => {
    const target = event.target instanceof HTMLElement || event.target instanceof SVGElement ? event.target : null;
    const typing = target?.matches('input, textarea, select') ?? false;
    if (event.key === 'Escape' && (typing || view.query.value !== '')) {
      view.query.value = '';
      target?.blur();
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (view.helpOpen.value && event.key !== '?') return;
    if (target?.getAttribute('role') === 'slider' && event.key.startsWith('Arrow')) return;
    const action = actionOf(view, moveCursor, event);
    if (action === undefined) {
      if ((event.key === 'Enter' || event.key === ' ') && target?.dataset.event !== undefined) {
        event.preventDefault();
        select(view, target.dataset.event);
      }
      return;
    }
    event.preventDefault();
    action();
    if (target?.dataset.event !== undefined) focusSelected(view);
  });
}

function actionOf(view: ViewState, moveCursor: MoveCursor, event: KeyboardEvent): (() => void) | undefined {
  const far = event.shiftKey ? 60 : 6;
  switch (event.key) {
    case 'j':
      return () => step(view, 1);
    case 'k':
      return () => step(view, -1);
    case 'ArrowLeft':
      return () => moveCursor(-far);
    case 'ArrowRight':
      return () => moveCursor(far);
    case '[':
      return () => stepFault(view, -1);
    case ']':
      return () => stepFault(view, 1);
    case 'v':
      return () => selectViolation(view);
    case 'p':
      return () => {
        view.isolate.value = !view.isolate.value;
      };
    case 'c':
      return () => selectFirstCause(view);
    case '/':
      return () => document.getElementById('filter')?.focus();
    case '?':
      return () => {
        view.helpOpen.value = !view.helpOpen.value;
      };
    default:
      return undefined;
  }
}

/** Keeps the keyboard's focus on the selected mark while stepping from mark to mark. */
function focusSelected(view: ViewState): void {
  requestAnimationFrame(() => {
    const mark = document.querySelector<SVGElement>(`[data-event="${CSS.escape(view.selected.value ?? '')}"]`);
    mark?.focus({ preventScroll: true });
  });
}
