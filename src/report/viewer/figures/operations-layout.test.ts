import { describe, expect, it } from 'vitest';
import { layOutOperations } from './operations-layout.ts';

const widthOfText = (text: string) => text.length * 6;

describe('layOutOperations', () => {
  it('keeps real-time order: what returned before another began stands left of it', () => {
    const { boxes } = layOutOperations(
      [
        { client: 'a', fromUs: 0, toUs: 10, label: 'put' },
        { client: 'b', fromUs: 5, toUs: 30, label: 'get' },
        { client: 'a', fromUs: 10, toUs: 20, label: 'put again' },
      ],
      widthOfText,
    );
    const [put, get, again] = boxes;
    expect((put?.x ?? 0) + (put?.width ?? 0)).toBeLessThan(again?.x ?? 0);
    expect(get?.x).toBeLessThan((put?.x ?? 0) + (put?.width ?? 0));
    expect(put?.y).toBe(again?.y);
    expect(get?.y).toBeGreaterThan(put?.y ?? 0);
  });

  it('gives operations of one client that overlap rows of their own', () => {
    const { boxes } = layOutOperations(
      [
        { client: 'a', fromUs: 0, label: 'never answered' },
        { client: 'a', fromUs: 5, toUs: 6, label: 'next' },
      ],
      widthOfText,
    );
    expect(boxes[0]?.y).not.toBe(boxes[1]?.y);
  });
});
