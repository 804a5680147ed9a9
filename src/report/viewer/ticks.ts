/** The round step (1, 2 or 5 times a power of ten) nearest above `raw`. */
export function niceStep(raw: number): number {
  const power = 10 ** Math.floor(Math.log10(raw));
  const rest = raw / power;
  return (rest <= 1 ? 1 : rest <= 2 ? 2 : rest <= 5 ? 5 : 10) * power;
}

/** Round values from `from` to `to`, at most `most` of them, and their step. */
export function niceTicks(from: number, to: number, most: number): { readonly step: number; readonly values: readonly number[] } {
  const step = Math.max(1, niceStep((to - from) / Math.max(1, most)));
  const values: number[] = [];
  for (let index = Math.ceil(from / step); index * step <= to; index++) values.push(index * step);
  return { step, values };
}
