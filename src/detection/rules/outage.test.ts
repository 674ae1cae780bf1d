import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Reading } from '../../sources/metric-source.ts';
import { outageErrors } from './outage-errors.ts';
import { outageHealth } from './outage-health.ts';
import { outageLatency } from './outage-latency.ts';
import { outageProvider } from './outage-provider.ts';

const share = (bad: number, n: number): Reading => ({ n, value: n === 0 ? null : bad / n, sd: null });

describe('errors', () => {
  const verdict = (failed: number, n: number) =>
    outageErrors.judge({ window: share(failed, n) }, outageErrors.defaults);

  test('above-5-percent-fire-and-5-percent-do-not', () => {
    expect(verdict(5, 100)).toMatchObject({ state: 'ok', isClear: false });
    expect(verdict(6, 100)).toMatchObject({ state: 'firing', value: 0.06, pastBound: false });
    expect(verdict(3, 100)).toMatchObject({ state: 'ok', isClear: true });
    expect(verdict(12, 100)).toMatchObject({ state: 'firing', pastBound: true, unmistakable: false });
    expect(verdict(1, 19).state).toBe('insufficient');
    expect(verdict(0, 0).state).toBe('no-data');
  });

  test('of-every-call-are-unmistakable', () => {
    expect(verdict(20, 20)).toMatchObject({ pastBound: true, unmistakable: true });
  });

  test('that-are-unmistakable-are-past-the-bound-and-those-fire', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 5_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (n, part) => {
          const found = verdict(Math.round(part * n), n);
          if (found.unmistakable) expect(found.pastBound).toBe(true);
          if (found.pastBound) expect(found.state).toBe('firing');
          if (found.isClear) expect(found.state).toBe('ok');
        },
      ),
    );
  });
});

describe('latency', () => {
  const baseline: Reading = { n: 10_000, value: 1_000, sd: null, lower: 950, upper: 1_060 };
  const verdict = (window: Reading, base = baseline) =>
    outageLatency.judge({ window, baseline: base }, outageLatency.defaults);

  test('above-twice-its-baseline-fires-and-its-bound-is-that-of-both', () => {
    const window: Reading = { n: 400, value: 2_300, sd: null, lower: 2_150, upper: 2_900 };
    const found = verdict(window);
    expect(found).toMatchObject({ state: 'firing', threshold: 2_000, baseline: 1_000, lower: 2_150 });
    // 2,300 − 2,000 is 300; the two half widths are 150 and 2 × 60.
    expect(Math.hypot(150, 120)).toBeLessThan(300);
    expect(found.pastBound).toBe(true);
    expect(verdict({ ...window, lower: 1_990 }).pastBound).toBe(false);
    expect(verdict(window, { ...baseline, upper: 1_140 }).pastBound).toBe(false);
  });

  test('without-bounds-is-never-past-them', () => {
    expect(verdict({ n: 400, value: 9_000, sd: null })).toMatchObject({
      state: 'firing',
      pastBound: false,
      unmistakable: false,
    });
    // Too few for an upper bound; the lower one is enough.
    expect(verdict({ n: 100, value: 9_000, sd: null, lower: 8_000 }).pastBound).toBe(true);
  });

  test('is-clear-below-1.7-times', () => {
    expect(verdict({ n: 400, value: 1_701, sd: null })).toMatchObject({ state: 'ok', isClear: false });
    expect(verdict({ n: 400, value: 1_700, sd: null })).toMatchObject({ state: 'ok', isClear: true });
    expect(verdict({ n: 99, value: 9_000, sd: null }).state).toBe('insufficient');
    expect(verdict({ n: 400, value: 9_000, sd: null }, { ...baseline, n: 199 }).state).toBe('insufficient');
  });
});

describe('health checks', () => {
  const verdict = (failed: number, n: number) =>
    outageHealth.judge({ window: share(failed, n) }, outageHealth.defaults);

  test('fire-when-half-of-them-and-two-failed', () => {
    expect(verdict(1, 1).state).toBe('insufficient');
    expect(verdict(1, 2).state).toBe('insufficient');
    expect(verdict(2, 2)).toMatchObject({ state: 'firing', pastBound: false });
    expect(verdict(3, 3)).toMatchObject({ state: 'firing', pastBound: true });
    expect(verdict(2, 4).state).toBe('firing');
    expect(verdict(2, 5)).toMatchObject({ state: 'ok', isClear: false });
    expect(verdict(0, 3)).toMatchObject({ state: 'ok', isClear: true });
    expect(verdict(0, 0).state).toBe('no-data');
  });
});

describe('the provider', () => {
  const verdict = (value: number | null) =>
    outageProvider.judge({ window: { n: 1, value, sd: null, about: 'API' } }, outageProvider.defaults);

  test('is-out-only-when-it-says-so-and-unknown-is-no-outage', () => {
    expect(verdict(1)).toMatchObject({
      state: 'firing',
      detail: 'API',
      pastBound: false,
      unmistakable: false,
    });
    expect(verdict(0.5)).toMatchObject({ state: 'ok', detail: null, isClear: true });
    expect(verdict(0).state).toBe('ok');
    expect(verdict(null).state).toBe('no-data');
  });
});
