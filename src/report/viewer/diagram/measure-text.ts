import type { MeasureText } from './label-placement.ts';

/** Widths of the diagram's labels in the face that the page really uses; remembered, because placing asks often. */
export function canvasMeasure(): MeasureText {
  const context = document.createElement('canvas').getContext('2d');
  const face = getComputedStyle(document.body).fontFamily;
  const known = new Map<string, number>();
  return (text, bold) => {
    const key = `${bold ? 'b' : 'n'}${text}`;
    const width = known.get(key);
    if (width !== undefined) return width;
    if (context !== null) context.font = `${bold ? 600 : 400} 11.5px ${face}`;
    const measured = context === null ? text.length * 6.2 : context.measureText(text).width;
    known.set(key, measured);
    return measured;
  };
}
