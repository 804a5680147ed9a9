import type { Micros } from '../document.ts';

/** `12.480`: seconds with three decimals, as times are written in the whole report. */
export function seconds(at: Micros): string {
  return (at / 1e6).toFixed(3);
}

/** Seconds with as many decimals as `stepUs` needs, at least `least`. */
export function secondsAtStep(at: Micros, stepUs: Micros, least = 0): string {
  const decimals = Math.min(6, Math.max(least, Math.ceil(-Math.log10(stepUs / 1e6) - 1e-9)));
  return (at / 1e6).toFixed(decimals);
}

/** `8.2 s`, `124 ms`, `90 µs`; minutes and hours from two minutes on. */
export function duration(length: Micros): string {
  if (length >= 7200e6) return `${(length / 3600e6).toFixed(1)} h`;
  if (length >= 120e6) return `${(length / 60e6).toFixed(1)} min`;
  if (length >= 1e6) return `${(length / 1e6).toFixed(1)} s`;
  if (length >= 1000) return `${Math.round(length / 1000)} ms`;
  return `${Math.round(length)} µs`;
}

/** `14,310`, the same on every machine. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** Keeps a number with its unit on one line. */
export function unbroken(text: string): string {
  return text.replace(/(\d) (s|ms|µs|min|h|%)(?![\w-])/g, '$1\u00a0$2');
}

/** `1 event`, `29 events`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}
