import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'tools/**/*.test.ts'],
    // The machine may be slow; a test that hangs is caught by its own event budget, not by a clock.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'threads',
  },
});
