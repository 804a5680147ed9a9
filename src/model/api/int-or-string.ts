/** intstr.IntOrString: a number, or a percentage as text. */
export type IntOrString = number | string;

/**
 * The value of a number or percentage of `total`: upstream GetScaledValueFromIntOrPercent.
 * Undefined where the text is no percentage.
 */
export function scaledValue(value: IntOrString, total: number, roundUp: boolean): number | undefined {
  if (typeof value === 'number') return value;
  const percent = percentOf(value);
  if (percent === undefined) return undefined;
  return roundUp ? Math.ceil((percent * total) / 100) : Math.floor((percent * total) / 100);
}

/** 25 of '25%'. */
export function percentOf(value: string): number | undefined {
  return /^[+-]?[0-9]+%$/.test(value) ? Number(value.slice(0, -1)) : undefined;
}
