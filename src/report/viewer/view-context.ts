import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { ViewState } from './view-state.ts';

export const ViewContext = createContext<ViewState | undefined>(undefined);

export function useView(): ViewState {
  const view = useContext(ViewContext);
  if (view === undefined) throw new Error('useView outside of ViewContext: main.tsx provides it');
  return view;
}
