import { render } from 'preact';
import { App } from './App.tsx';
import { cursorMover } from './diagram/cursor.ts';
import { syncHash } from './hash-state.ts';
import { listenToKeys } from './keys.ts';
import { readEmbeddedDocument } from './payload.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/page.css';
import './styles/diagram.css';
import './styles/figures.css';
import './styles/print.css';
import { startTheme } from './theme.ts';
import { ViewContext } from './view-context.ts';
import { createViewState } from './view-state.ts';

async function start(root: HTMLElement): Promise<void> {
  startTheme();
  try {
    const view = createViewState(await readEmbeddedDocument());
    syncHash(view);
    listenToKeys(view, (by) => cursorMover.current(by));
    render(
      <ViewContext.Provider value={view}>
        <App />
      </ViewContext.Provider>,
      root,
    );
  } catch (error) {
    render(
      <main class="wrap">
        <h1 style={{ marginTop: '48px' }}>This report cannot be shown</h1>
        <p class="lede">{error instanceof Error ? error.message : String(error)}</p>
      </main>,
      root,
    );
    throw error;
  }
}

const root = document.getElementById('report');
if (root !== null) void start(root);
