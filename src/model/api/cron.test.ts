import { describe, expect, it } from 'vitest';
import { parseCron } from './cron.ts';

describe('cron schedules', () => {
  it.each(['* * * * *', '*/5 1-3,7 1 JAN mon', '@hourly', '@every 1h30m'])('%s is read', (text) => {
    expect(typeof parseCron(text)).toBe('object');
    expect(parseCron(text)).not.toHaveProperty('error');
  });
  it.each(['', '* * * *', '61 * * * *', '@never', '0 0 * * mun'])('%s is refused', (text) => {
    expect(parseCron(text)).toHaveProperty('error');
  });
});
