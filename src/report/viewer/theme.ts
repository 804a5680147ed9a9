import { effect, signal } from '@preact/signals';

const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];
const KEY = 'seatrial-theme';

export const theme = signal<Theme>('system');

export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? 'system';
}

/** Remembers the choice where the browser allows it; from file:// some do not. */
export function startTheme(): void {
  try {
    const kept = localStorage.getItem(KEY);
    theme.value = THEMES.find((name) => name === kept) ?? 'system';
  } catch {}
  effect(() => {
    if (theme.value === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme.value;
    try {
      localStorage.setItem(KEY, theme.value);
    } catch {}
  });
}
